// For TeamCity, as .teamcity/settings.kts. Agents that have the parameter `buildr` in their
// buildAgent.properties run on machines with buildr and a container engine.
import jetbrains.buildServer.configs.kotlin.*
import jetbrains.buildServer.configs.kotlin.buildFeatures.XmlReport
import jetbrains.buildServer.configs.kotlin.buildFeatures.xmlReport
import jetbrains.buildServer.configs.kotlin.buildSteps.script
import jetbrains.buildServer.configs.kotlin.triggers.vcs

version = "2023.11"

project {
    buildType(Build)
}

object Build : BuildType({
    name = "Build"

    vcs {
        root(DslContext.settingsRoot)
        // On the agent, so that the history is there: 'when: changes' looks at it.
        checkoutMode = CheckoutMode.ON_AGENT
    }
    triggers {
        vcs { }
    }
    steps {
        script {
            name = "buildr"
            scriptContent = """
                git checkout -q -B "%teamcity.build.branch%" "%build.vcs.number%"
                buildr run --event push -o plain --junit report.xml
            """.trimIndent()
        }
    }
    features {
        xmlReport {
            reportType = XmlReport.XmlReportType.JUNIT
            rules = "report.xml"
        }
    }
    failureConditions {
        executionTimeoutMin = 60
    }
    requirements {
        exists("buildr")
    }
})
