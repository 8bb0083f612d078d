import type { ContainerConfig, ContainerResources } from '../../../src/api/contract/container-config.ts';
import type { Duplex } from '../../../src/api/contract/duplex.ts';
import type { RuntimeTraits } from '../../../src/api/contract/runtime-traits.ts';
import type { SandboxConfig } from '../../../src/api/contract/sandbox-config.ts';
import type { ContainerUsage } from '../../../src/api/contract/usage.ts';
import type {
	AttachConfig,
	ContainerEvent,
	ExecConfig,
	ExecSession,
	PulledImage,
	PullOptions,
	Runtime,
	RuntimeContainer,
	Sandbox,
} from '../../../src/runtime/contract.ts';
import type { ProcessLife } from '../oracles/process-life.ts';
import type { ScheduledKill } from './scheduled-kills.ts';

/** What a {@link GuardedRuntime} needs. */
export interface GuardedRuntimeOptions {
	readonly life: ProcessLife;
	readonly runtime: Runtime;
	readonly scheduledKill: ScheduledKill | undefined;
	note(what: string): void;
}

/**
 * The runtime as one node agent process sees it. Once the process is dead, its calls hang and it receives no
 * events, while the runtime and its containers keep running for the next process.
 */
export class GuardedRuntime implements Runtime {
	readonly version: string;
	readonly traits: RuntimeTraits;
	readonly #options: GuardedRuntimeOptions;

	constructor(options: GuardedRuntimeOptions) {
		this.#options = options;
		this.version = options.runtime.version;
		this.traits = options.runtime.traits;
	}

	start(): Promise<void> {
		return this.#call((runtime) => runtime.start());
	}

	stop(): Promise<void> {
		return Promise.resolve();
	}

	subscribe(listener: (event: ContainerEvent) => void): () => void {
		const { life, runtime } = this.#options;
		const unsubscribe = runtime.subscribe((event) => {
			if (life.isAlive) listener(event);
		});
		life.onDeath(unsubscribe);
		return unsubscribe;
	}

	runSandbox(config: SandboxConfig): Promise<Sandbox> {
		return this.#change(`run sandbox ${config.podName} ${config.attempt}`, (runtime) =>
			runtime.runSandbox(config),
		);
	}

	stopSandbox(id: string): Promise<void> {
		return this.#change(`stop sandbox ${id}`, (runtime) => runtime.stopSandbox(id));
	}

	removeSandbox(id: string): Promise<void> {
		return this.#change(`remove sandbox ${id}`, (runtime) => runtime.removeSandbox(id));
	}

	listSandboxes(): Promise<readonly Sandbox[]> {
		return this.#call((runtime) => runtime.listSandboxes());
	}

	pullImage(image: string, options?: PullOptions): Promise<PulledImage> {
		return this.#call((runtime) => runtime.pullImage(image, options));
	}

	imageStatus(image: string): Promise<{ readonly imageRef: string } | undefined> {
		return this.#call((runtime) => runtime.imageStatus(image));
	}

	createContainer(sandboxId: string, config: ContainerConfig): Promise<RuntimeContainer> {
		const what = `create container ${config.name} ${config.attempt} in ${sandboxId}`;
		return this.#change(what, (runtime) => runtime.createContainer(sandboxId, config));
	}

	startContainer(id: string): Promise<RuntimeContainer> {
		return this.#change(`start container ${id}`, (runtime) => runtime.startContainer(id));
	}

	stopContainer(id: string, graceSeconds: number): Promise<void> {
		return this.#change(`stop container ${id} (${graceSeconds}s)`, (runtime) =>
			runtime.stopContainer(id, graceSeconds),
		);
	}

	removeContainer(id: string): Promise<void> {
		return this.#change(`remove container ${id}`, (runtime) => runtime.removeContainer(id));
	}

	listContainers(): Promise<readonly RuntimeContainer[]> {
		return this.#call((runtime) => runtime.listContainers());
	}

	updateContainerResources(id: string, resources: ContainerResources): Promise<void> {
		return this.#change(`resize container ${id}`, (runtime) =>
			runtime.updateContainerResources(id, resources),
		);
	}

	usage(): Promise<readonly ContainerUsage[]> {
		return this.#call((runtime) => runtime.usage());
	}

	exec(id: string, config: ExecConfig): Promise<ExecSession> {
		return this.#call((runtime) => runtime.exec(id, config));
	}

	attach(id: string, config: AttachConfig): Promise<Duplex> {
		return this.#call((runtime) => runtime.attach(id, config));
	}

	portForward(sandboxId: string, port: number): Promise<Duplex> {
		return this.#call((runtime) => runtime.portForward(sandboxId, port));
	}

	async #call<T>(call: (runtime: Runtime) => Promise<T>): Promise<T> {
		const { life, runtime } = this.#options;
		if (!life.isAlive) return life.hang();
		const answer = await Promise.allSettled([call(runtime)]);
		if (!life.isAlive) return life.hang();
		if (answer[0].status === 'rejected') throw answer[0].reason;
		return answer[0].value;
	}

	/** Performs a changing call: a scheduled kill may end the process just before or just after it. */
	async #change<T>(what: string, call: (runtime: Runtime) => Promise<T>): Promise<T> {
		const { life, scheduledKill, note } = this.#options;
		if (!life.isAlive) return life.hang();
		if (scheduledKill?.killsBefore()) return this.#die(`${what} -> dies before it`);
		note(what);
		return this.#call(async (runtime) => {
			const answer = await call(runtime);
			return scheduledKill?.killsAfter() ? this.#die(`${what} -> dies after it`) : answer;
		});
	}

	#die(what: string): Promise<never> {
		this.#options.note(what);
		this.#options.life.die();
		return this.#options.life.hang();
	}
}
