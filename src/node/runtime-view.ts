import type { Attempt } from '../plan/pod/snapshot.ts';
import type { ContainerStatus, Runtime, Sandbox } from './runtime/runtime.ts';

/** What the runtime has for one Pod. */
export interface PodInRuntime {
	readonly sandboxes: ReadonlyMap<string, Sandbox>;
	/** By id. */
	readonly containers: ReadonlyMap<string, ContainerStatus>;
}

interface Record {
	readonly sandboxes: Map<string, Sandbox>;
	readonly containers: Map<string, ContainerStatus>;
	/** The same containers by name, in the order of their attempts. */
	readonly attempts: Map<string, ContainerStatus[]>;
}

/**
 * What the runtime has, by Pod, kept up to date by its events and by what our own calls return. It tells
 * `changed` which Pod to look at.
 */
export class RuntimeView {
	readonly #runtime: Runtime;
	readonly #changed: (podUid: string) => void;
	readonly #pods = new Map<string, Record>();

	constructor(runtime: Runtime, changed: (podUid: string) => void) {
		this.#runtime = runtime;
		this.#changed = changed;
	}

	/** Reads what there is and follows it from then on; returns the way to stop. */
	async start(): Promise<() => void> {
		const unsubscribe = this.#runtime.subscribe(({ status }) => {
			this.noteContainer(status);
			this.#changed(status.podUid);
		});
		for (const sandbox of await this.#runtime.listSandboxes()) this.noteSandbox(sandbox);
		for (const container of await this.#runtime.listContainers()) this.noteContainer(container);
		return unsubscribe;
	}

	/** The UIDs of all Pods that the runtime has something for. */
	podUids(): readonly string[] {
		return [...this.#pods.keys()];
	}

	/** What there is for a Pod, or undefined. */
	of(podUid: string): PodInRuntime | undefined {
		return this.#pods.get(podUid);
	}

	/** The sandbox that new containers of the Pod go into. */
	sandboxOf(podUid: string): Sandbox | undefined {
		const ready = [...(this.#pods.get(podUid)?.sandboxes.values() ?? [])].filter(
			({ state }) => state === 'ready',
		);
		return ready.at(-1);
	}

	/** The attempts at each container of a Pod, oldest first: a live view, which changes with the runtime. */
	attemptsOf(podUid: string): ReadonlyMap<string, readonly Attempt[]> {
		return this.#pods.get(podUid)?.attempts ?? NONE;
	}

	/** Takes in a sandbox that a call returned. */
	noteSandbox(sandbox: Sandbox): void {
		this.#record(sandbox.config.podUid).sandboxes.set(sandbox.id, sandbox);
	}

	/** Takes in a container's state, unless a later one is known. */
	noteContainer(status: ContainerStatus): void {
		const { containers, attempts } = this.#record(status.podUid);
		const known = containers.get(status.id);
		if (known && ORDER[known.state] > ORDER[status.state]) return;
		containers.set(status.id, status);
		const others = (attempts.get(status.name) ?? []).filter(({ id }) => id !== status.id);
		attempts.set(
			status.name,
			[...others, status].sort((a, b) => a.attempt - b.attempt),
		);
	}

	/** Forgets a container that was removed. */
	forgetContainer(podUid: string, id: string): void {
		const record = this.#pods.get(podUid);
		const name = record?.containers.get(id)?.name;
		if (!record || name === undefined) return;
		record.containers.delete(id);
		const left = (record.attempts.get(name) ?? []).filter((each) => each.id !== id);
		if (left.length > 0) record.attempts.set(name, left);
		else record.attempts.delete(name);
	}

	/** Forgets all there was for a Pod. */
	forget(podUid: string): void {
		this.#pods.delete(podUid);
	}

	#record(podUid: string): Record {
		const known = this.#pods.get(podUid);
		if (known) return known;
		const made: Record = { sandboxes: new Map(), containers: new Map(), attempts: new Map() };
		this.#pods.set(podUid, made);
		return made;
	}
}

const NONE: ReadonlyMap<string, readonly Attempt[]> = new Map();

const ORDER = { created: 0, running: 1, exited: 2 };
