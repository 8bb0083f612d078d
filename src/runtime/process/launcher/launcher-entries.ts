import type { RuntimeContainer } from '../../contract.ts';
import type { ContainerProcess } from './container-process.ts';
import type { RunRecord } from './journal-entry.ts';
import type { HostContainerConfig, HostSandbox } from './protocol.ts';

/** A sandbox as the launcher keeps it. */
export interface SandboxEntry {
	sandbox: HostSandbox;
	/** The name of its working folder. */
	readonly folder: string;
	readonly containers: Set<LaunchedContainer>;
}

/** A container as the launcher keeps it. */
export interface LaunchedContainer {
	readonly sandbox: SandboxEntry;
	status: RuntimeContainer;
	/** Set until the container is started. */
	config?: HostContainerConfig;
	/** The start in progress. */
	starting?: Promise<RuntimeContainer>;
	/** How the shim runs it; undefined where it does not. */
	run?: RunRecord;
	/** Set while the process runs; `reported` resolves after its exit was reported. */
	running?: { readonly process: ContainerProcess; readonly reported: Promise<void> };
}
