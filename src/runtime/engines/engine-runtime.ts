/**
 * What the runtimes of container engines have in common: the calls of the contract that differ only in what an engine is asked,
 * and the listeners, grace periods and connections behind them. An engine keeps the containers; engine-container.ts is one of them.
 */
import type { ContainerConfig } from '../../api/contract/container-config.ts';
import type { ContainerUsage } from '../../api/contract/usage.ts';
import type { Clock } from '../../base/clock.ts';
import {
	type ContainerEvent,
	ContainerStartError,
	ExecError,
	type PulledImage,
	type PullOptions,
	type RuntimeContainer,
	RuntimeUnavailable,
	type Sandbox,
} from '../contract.ts';
import type { LogLimits } from '../log-limits.ts';
import { PortConnections } from '../port-connections.ts';
import type { EngineContainer } from './engine-container.ts';
import { StopTimers } from './stop-timers.ts';

/** The components and settings of a runtime of a container engine. */
export interface EngineRuntimeOptions extends LogLimits {
	/** The runtime folder of the server; created if it does not exist. */
	readonly folder: string;
	/** The path of the engine's socket. */
	readonly socketPath: string;
	readonly clock: Clock;
	/** How many processes a container may have; 0: no limit, which is the default. */
	readonly maxPids?: number;
	/** Receives errors that no call can reject with, such as a lost connection. */
	onError(error: unknown): void;
}

/** The containers of this server that an engine has. */
export interface EngineContainers<Container extends EngineContainer> {
	get(id: string): Container | undefined;
	all(): readonly Container[];
	/** The containers of a sandbox. */
	of(sandboxId: string): readonly Container[];
	create(sandboxId: string, config: ContainerConfig): Promise<RuntimeContainer>;
	/** Removes a container that does not run, from the engine as well. */
	remove(container: Container): Promise<void>;
	usage(): Promise<readonly ContainerUsage[]>;
}

/** The images of an engine: found and pulled. */
interface ImageSource {
	find(image: string): Promise<Pick<PulledImage, 'imageRef'> | undefined>;
	pull(image: string, options?: PullOptions): Promise<PulledImage>;
}

/** See the header of this file. */
export abstract class EngineRuntime<
	Container extends EngineContainer,
	Containers extends EngineContainers<Container>,
> {
	/** Aborted when the runtime is stopped. */
	protected readonly over = new AbortController();
	protected readonly ports = new PortConnections();
	readonly #options: EngineRuntimeOptions;
	readonly #timers: StopTimers;
	readonly #listeners = new Set<(event: ContainerEvent) => void>();

	constructor(options: EngineRuntimeOptions) {
		this.#options = options;
		this.#timers = new StopTimers(options.clock);
	}

	/** The containers; undefined before the start. */
	protected abstract readonly found: Containers | undefined;
	protected abstract readonly imageSource: ImageSource;
	abstract stopSandbox(id: string): Promise<void>;
	abstract listSandboxes(): Promise<readonly Sandbox[]>;
	/** Removes a sandbox that is stopped and has no containers. */
	protected abstract removeEmptySandbox(id: string): Promise<void>;
	/** Starts a container that is created. Rejects like Runtime.startContainer. */
	protected abstract startCreated(container: Container): Promise<RuntimeContainer>;
	/** Asks a container to end within the grace period; resolves without waiting for that. */
	protected abstract askToStop(container: Container, graceSeconds: number): Promise<void>;
	/** Has the engine kill a container; does nothing if it has ended meanwhile. */
	protected abstract kill(container: Container): Promise<void>;
	/** Releases what the connection to the engine holds. */
	protected abstract disconnect(): Promise<void>;

	async stop(options: { readonly killAll?: boolean } = {}): Promise<void> {
		if (this.over.signal.aborted) return;
		if (options.killAll && this.found) {
			const ids = (await this.listSandboxes()).map(({ id }) => id);
			await Promise.all(ids.map((id) => this.removeSandbox(id)));
		}
		this.over.abort();
		this.#timers.cancelAll();
		this.#listeners.clear();
		await this.disconnect();
	}

	subscribe(listener: (event: ContainerEvent) => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	protected notify(status: RuntimeContainer): void {
		for (const listener of this.#listeners) listener({ status });
	}

	async removeSandbox(id: string): Promise<void> {
		await this.stopSandbox(id);
		const containers = this.connected().of(id);
		await Promise.all(containers.map(({ facts }) => this.removeContainer(facts.id)));
		await this.removeEmptySandbox(id);
	}

	async pullImage(image: string, options?: PullOptions): Promise<PulledImage> {
		const { imageRef, sizeBytes } = await this.imageSource.pull(image, options);
		return { imageRef, sizeBytes };
	}

	async imageStatus(image: string): Promise<{ readonly imageRef: string } | undefined> {
		const found = await this.imageSource.find(image);
		return found && { imageRef: found.imageRef };
	}

	async createContainer(sandboxId: string, config: ContainerConfig): Promise<RuntimeContainer> {
		return await this.connected().create(sandboxId, config);
	}

	async startContainer(id: string): Promise<RuntimeContainer> {
		const container = this.connected().get(id);
		if (!container) throw new ContainerStartError('RunContainerError', `there is no container ${id}`);
		if (container.status.state !== 'created') return container.status;
		return await this.startCreated(container);
	}

	async stopContainer(id: string, graceSeconds: number): Promise<void> {
		const container = this.connected().get(id);
		if (container?.status.state !== 'running') return;
		if (graceSeconds <= 0) return await this.#end(container);
		const { onError } = this.#options;
		this.#timers.set(id, graceSeconds * 1000, () => void this.#end(container).catch(onError));
		await this.askToStop(container, graceSeconds);
	}

	async removeContainer(id: string): Promise<void> {
		const containers = this.connected();
		const container = containers.get(id);
		if (!container) return;
		await this.#endIfRunning(container);
		this.#timers.cancel(id);
		await containers.remove(container);
	}

	async listContainers(): Promise<readonly RuntimeContainer[]> {
		return this.connected()
			.all()
			.map(({ status }) => status);
	}

	async usage(): Promise<readonly ContainerUsage[]> {
		return await this.connected().usage();
	}

	/** The containers. Throws RuntimeUnavailable before the start and after the end. */
	protected connected(): Containers {
		if (!this.found || this.over.signal.aborted) throw new RuntimeUnavailable('the runtime is not connected');
		return this.found;
	}

	/** A container that runs. Throws ExecError if it does not. */
	protected running(id: string): Container {
		const container = this.connected().get(id);
		if (container?.status.state === 'running') return container;
		throw new ExecError('ContainerNotRunning', `container ${id} is not running`);
	}

	/** Kills the running containers of a sandbox; resolves after the events of their exits. */
	protected async endContainersOf(sandboxId: string): Promise<void> {
		await Promise.all(
			this.connected()
				.of(sandboxId)
				.map((container) => this.#endIfRunning(container)),
		);
	}

	/** Kills a container if it runs, and resolves after the event of its exit. */
	async #endIfRunning(container: Container): Promise<void> {
		if (container.status.state !== 'running') return;
		const exited = container.untilExited();
		await Promise.all([this.#end(container), exited]);
	}

	async #end(container: Container): Promise<void> {
		this.#timers.cancel(container.facts.id);
		await this.kill(container);
	}
}
