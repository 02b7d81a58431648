/* SPDX-License-Identifier: MIT */
/*
 * order_private.h - what the files of an order share.
 *
 * order.c has its beginning and its end, and what happens to it; order_move.c puts it
 * where it belongs; order_claim.c has the steps to the begin of a try; order_tell.c
 * publishes what the worker says.
 */
#pragma once

#include "agent/order.h"

/* Every request is counted, so that no answer finds the order gone. */
void order_await(struct order *order);

/* Take an answer. Gives false where the order has no more use for it. */
bool order_take(struct order *order, enum order_state state);

/* Take an answer that says nothing. For br_*(); `ctx` is the order. */
void order_ignore(void *ctx, const struct br_reply *reply);

/* It is done: releases the claim, and tells the agent. */
void order_finish(struct order *order, enum order_end end);

/* Our own failure: end what runs, and let another have the job. */
void order_hand_back(struct order *order);

void order_acknowledge(struct order *order);

/*
 * What the broker refuses where it should not: the job is given back, and whoever
 * takes it next may have more luck. Gives false where it did not refuse.
 */
bool order_refuse(struct order *order, const struct br_reply *reply);

/* Have the channel of the order open. */
void order_open_channel(struct order *order);

/* Have publishes on it confirmed, then call `fn`: at once where they are. */
void order_confirm_channel(struct order *order, br_reply_fn *fn);

/* Whether there is a build: a worker at work, or one that has ended. */
bool order_has_build(const struct order *order);

/* End the worker, and forget what it told. */
void order_drop(struct order *order);

/* Publish, and remember that the broker is to confirm it. `end`: see below. */
void order_send(
	struct order *order, const struct br_message *message, int64_t end);

/* Forget what the broker was to confirm. */
void order_forget(struct order *order);

/* order_move.c */

/* Put it back with an id, or move it to the queue of its labels. */
void order_move(struct order *order);

/* It is confirmed. */
void order_moved(struct order *order);

/* order_claim.c */

/* Ask for the claim, and go on from there. */
void order_claim(struct order *order);

/* The claim is ours: go on, from the look at the result. */
void order_check_again(struct order *order);

/* Another agent has it, or nobody can for now: leave it for a while. */
void order_leave(struct order *order);

/* Say why there is nothing to find out for a worker. Borrowed. */
const char *order_explain(const struct order *order);

/* Begin the try that is recorded. */
void order_begin_try(struct order *order);
