import type { RuntimeContainer } from '../../contract.ts';
import type { ContainerProcess, ProcessHost } from '../containers/container-process.ts';
import type { ContainerSlots } from '../containers/container-slots.ts';
import type { PodNetwork } from '../network/pod-network.ts';
import type { Shim } from '../shim/shim.ts';
import type { JournalEntry, RunRecord } from './journal-entry.ts';
import type { ProcessIdentity } from './process-table.ts';
import type { HostContainerConfig, HostSandbox } from './protocol.ts';

/** The components and settings of a launcher. */
export interface LauncherOptions extends ProcessHost {
	readonly shim: Shim | undefined;
	/** The folder of its journal and of the sandboxes' working folders. */
	readonly folder: string;
	/** Limits the running containers: each takes one slot. */
	readonly slots: ContainerSlots;
	/** Called with each container that has exited. */
	onExit(status: RuntimeContainer): void;
	/** Called when `isIdle` of the launcher may have become true. */
	onIdle(): void;
}

/** A sandbox as the launcher keeps it. Only the launcher changes it. */
export interface SandboxEntry {
	sandbox: HostSandbox;
	/** The name of its working folder. */
	readonly folder: string;
	readonly containers: Set<ContainerEntry>;
}

/** A container as the launcher keeps it, from its creation to its removal. Only the launcher changes it. */
export interface ContainerEntry {
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

/** The entries that describe the present state, for a rewrite of the journal; `head` identifies the launcher. */
export function* entriesOf({
	head,
	sandboxes,
	containers,
}: {
	readonly head: JournalEntry;
	readonly sandboxes: ReadonlyMap<string, SandboxEntry>;
	readonly containers: ReadonlyMap<string, ContainerEntry>;
}): Iterable<JournalEntry> {
	yield head;
	for (const { sandbox, folder } of sandboxes.values()) yield { sandbox, folder };
	for (const { status, running, run } of containers.values()) {
		if (status.state !== 'created' || run) yield { container: status };
		if (run) yield { run, of: status.id };
		if (running) yield { process: running.process.identity, of: status.id };
	}
}

/** The networks of the sandboxes that have one of their own, by sandbox. */
export function networksOf(sandboxes: Iterable<SandboxEntry>): ReadonlyMap<string, PodNetwork> {
	return new Map(
		Array.from(sandboxes).flatMap(({ sandbox: { id, state, network } }) =>
			network && state === 'ready' ? [[id, network] as const] : [],
		),
	);
}

/** The processes of the running containers of a sandbox. */
export function processesIn(sandbox: SandboxEntry | undefined): readonly ProcessIdentity[] {
	return [...(sandbox?.containers ?? [])].flatMap(({ running }) =>
		running ? [running.process.identity] : [],
	);
}
