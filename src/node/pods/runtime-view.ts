/**
 * A cache of the runtime's sandboxes and containers, by Pod. The node agent plans from it without a call to the
 * runtime: listing all containers for each reconcile would cost as much as the number of Pods squared.
 */
import type { Attempt } from '../../plan/pod/snapshot.ts';
import type { Runtime, RuntimeContainer, Sandbox } from '../../runtime/contract.ts';

/** The sandboxes and containers of one Pod. */
export interface PodInRuntime {
	readonly sandboxes: ReadonlyMap<string, Sandbox>;
	/** By id. */
	readonly containers: ReadonlyMap<string, RuntimeContainer>;
}

interface Record {
	readonly sandboxes: Map<string, Sandbox>;
	readonly containers: Map<string, RuntimeContainer>;
	/** The same containers by name, in the order of their attempts. */
	readonly attempts: Map<string, RuntimeContainer[]>;
}

/**
 * The cache. The runtime's events and the results of the agent's own calls keep it up to date. It calls `changed`
 * with the UID of the Pod after each event.
 */
export class RuntimeView {
	readonly #runtime: Runtime;
	readonly #changed: (podUid: string) => void;
	readonly #pods = new Map<string, Record>();

	constructor(runtime: Runtime, changed: (podUid: string) => void) {
		this.#runtime = runtime;
		this.#changed = changed;
	}

	/** Subscribes to events, then lists; resolves to a function that unsubscribes. Rejects if the lists do. */
	async start(): Promise<() => void> {
		const unsubscribe = this.#runtime.subscribe(({ status }) => {
			this.noteContainer(status);
			this.#changed(status.podUid);
		});
		try {
			for (const sandbox of await this.#runtime.listSandboxes()) this.noteSandbox(sandbox);
			for (const container of await this.#runtime.listContainers()) this.noteContainer(container);
		} catch (error) {
			unsubscribe();
			throw error;
		}
		return unsubscribe;
	}

	/** The UIDs of all Pods that have a sandbox or a container. */
	podUids(): readonly string[] {
		return [...this.#pods.keys()];
	}

	/** The sandboxes and containers of a Pod; undefined if it has none. */
	of(podUid: string): PodInRuntime | undefined {
		return this.#pods.get(podUid);
	}

	/** The newest ready sandbox of the Pod: new containers are created in it. */
	sandboxOf(podUid: string): Sandbox | undefined {
		const ready = [...(this.#pods.get(podUid)?.sandboxes.values() ?? [])].filter(
			({ state }) => state === 'ready',
		);
		return ready.at(-1);
	}

	/** By container name, the attempts in the Pod, oldest first. The map is live: events change it. */
	attemptsOf(podUid: string): ReadonlyMap<string, readonly Attempt[]> {
		return this.#pods.get(podUid)?.attempts ?? NONE;
	}

	/** Adds a sandbox that a call returned. */
	noteSandbox(sandbox: Sandbox): void {
		this.#record(sandbox.config.podUid).sandboxes.set(sandbox.id, sandbox);
	}

	/** Stores a container's state, unless a later one is known: an exit may arrive before the start's result. */
	noteContainer(status: RuntimeContainer): void {
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

	/** Removes a container that the runtime has removed. */
	forgetContainer(podUid: string, id: string): void {
		const record = this.#pods.get(podUid);
		const name = record?.containers.get(id)?.name;
		if (!record || name === undefined) return;
		record.containers.delete(id);
		const left = (record.attempts.get(name) ?? []).filter((each) => each.id !== id);
		if (left.length > 0) record.attempts.set(name, left);
		else record.attempts.delete(name);
	}

	/** Removes the entries of a Pod, after its sandboxes were removed. */
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

/** A container passes through its states in this order and never back. */
const ORDER = { created: 0, running: 1, exited: 2 };
