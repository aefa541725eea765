package dev.gantry.daemon;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/// The arrows between the modules, and what belongs into one of them alone.
@AnalyzeClasses(packages = "dev.gantry", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule aModuleUsesOnlyThoseBelowIt = layeredArchitecture()
            .consideringOnlyDependenciesInAnyPackage("dev.gantry..")
            .layer("linux")
            .definedBy("dev.gantry.linux..")
            .layer("cri")
            .definedBy("dev.gantry.cri..")
            .layer("storage")
            .definedBy("dev.gantry.storage..")
            .layer("image")
            .definedBy("dev.gantry.image..")
            .layer("cni")
            .definedBy("dev.gantry.cni..")
            .layer("shim")
            .definedBy("dev.gantry.shim..")
            .layer("sandbox")
            .definedBy("dev.gantry.sandbox..")
            .layer("runtime")
            .definedBy("dev.gantry.runtime..")
            .layer("daemon")
            .definedBy("dev.gantry.daemon..")
            .whereLayer("linux")
            .mayNotAccessAnyLayer()
            .whereLayer("cri")
            .mayNotAccessAnyLayer()
            .whereLayer("storage")
            .mayOnlyAccessLayers("linux", "cri")
            .whereLayer("image")
            .mayOnlyAccessLayers("linux", "cri", "storage")
            .whereLayer("cni")
            .mayOnlyAccessLayers("linux", "cri")
            .whereLayer("shim")
            .mayOnlyAccessLayers("linux", "cri")
            .whereLayer("sandbox")
            .mayOnlyAccessLayers("linux", "cri", "storage", "image", "cni", "shim")
            .whereLayer("runtime")
            .mayOnlyAccessLayers("linux", "cri", "storage", "image", "cni", "shim", "sandbox")
            .whereLayer("daemon")
            .mayNotBeAccessedByAnyLayer();

    @ArchTest
    static final ArchRule packagesFormNoCycles =
            slices().matching("dev.gantry.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule nothingBelowTheServicesKnowsCriMessages = noClasses()
            .that()
            .resideInAnyPackage(
                    "dev.gantry.linux..",
                    "dev.gantry.storage..",
                    "dev.gantry.cni..",
                    "dev.gantry.shim..",
                    "dev.gantry.sandbox..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.gantry.cri.runtime..");

    @ArchTest
    static final ArchRule nativeCallsAreInLinuxAlone = noClasses()
            .that()
            .resideOutsideOfPackage("dev.gantry.linux..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.lang.foreign..");

    @ArchTest
    static final ArchRule rocksDbIsInStorageAlone = noClasses()
            .that()
            .resideOutsideOfPackage("dev.gantry.storage..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.rocksdb..");

    @ArchTest
    static final ArchRule programsAreStartedByLinuxAlone = noClasses()
            .that()
            .resideOutsideOfPackage("dev.gantry.linux..")
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(ProcessBuilder.class);
}
