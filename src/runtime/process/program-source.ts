import type { ContainerConfig } from '../../api/contract/container-config.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { PulledImage, PullOptions, RuntimeImages } from '../contract.ts';
import type { ContainerFiles } from '../files/container-files.ts';
import type { RuntimeMachine } from './honoured.ts';
import type { HostContainerConfig, HostSandboxConfig } from './launcher/protocol.ts';
import type { MachineProbe } from './shim/probe.ts';

/**
 * Where a LauncherRuntime gets the programs of its containers: the images, what they say about a program, and the
 * isolation that belongs to it.
 */
export interface ProgramSource {
	/** The name of the runtime in the Node's `containerRuntimeVersion`. */
	readonly name: string;
	/**
	 * Finds out what the machine allows, with the shim at the path `shim`; undefined: there is none. Rejects with an Error
	 * that a user can read if this source cannot run programs here.
	 */
	start(shim: string | undefined): Promise<MachineProbe>;
	/** The traits of a runtime with these programs on the machine. */
	traitsOn(machine: RuntimeMachine): RuntimeTraits;
	/** As Runtime.containerFiles. */
	readonly containerFiles?: ContainerFiles | undefined;
	/** As Runtime.images. */
	readonly images?: RuntimeImages;
	/** As Runtime.pullImage and Runtime.imageStatus. */
	pull(image: string, options: PullOptions): Promise<PulledImage>;
	statusOf(image: string, options: PullOptions): Promise<{ readonly imageRef: string } | undefined>;
	/**
	 * Prepares the container `id`: may be repeated. Rejects with ContainerStartError. What it has made for the container
	 * stays until `release`.
	 */
	prepare(id: string, wanted: WantedContainer): Promise<SourcedProgram>;
	/** The bytes that a container has written to its own root file system, as measured lately; absent where it has none. */
	writtenBytes?(id: string): Promise<number>;
	/** Removes what `prepare` made for containers that have been removed. */
	release(ids: readonly string[]): Promise<void>;
	/** Called once after a start, with the ids of all containers: removes what was made for others. */
	releaseOthers(ids: ReadonlySet<string>): Promise<void>;
	/** Ends what runs for it. */
	stop(): Promise<void>;
}

/** A container to prepare. */
export interface WantedContainer {
	readonly config: ContainerConfig;
	readonly sandbox: HostSandboxConfig;
	readonly machine: MachineProbe;
}

/** What the launcher needs of the source to run a container. */
export type SourcedProgram = Pick<HostContainerConfig, 'program' | 'imageRef' | 'box' | 'stopSignal'>;
