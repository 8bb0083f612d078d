/**
 * The runtime of container engines: Docker and Podman, by the API of Docker over their Unix socket. The engine runs the
 * containers and keeps them; this side keeps the sandboxes, which engines do not have, and copies the logs.
 *
 * Read in this order: docker-runtime.ts, engine-client.ts (HTTP), container-labels.ts (which containers are ours),
 * tracked-container.ts and container-state.ts (one container), engine-events.ts, container-body.ts and bind-mounts.ts (the
 * creation), sandbox-records.ts, engine-log.ts with engine-log-reader.ts and written-entries.ts, engine-images.ts, engine-exec.ts and
 * engine-sessions.ts, engine-endpoint.ts.
 *
 * 1. A container is touched only if its label names this server. Images are the user's: none is removed.
 * 2. The state of a container is always the engine's. An event, a call or a new connection only causes an inspection.
 * 3. Containers have the network of the host.
 */
import { join } from 'node:path';
import type { ContainerConfig, ContainerResources } from '../../api/contract/container-config.ts';
import type { Duplex } from '../../api/contract/duplex.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { SandboxConfig } from '../../api/contract/sandbox-config.ts';
import type { ContainerUsage } from '../../api/contract/usage.ts';
import type { Clock } from '../../base/clock.ts';
import { openPrivateFolder } from '../../base/files/private-files.ts';
import { messageOf } from '../../base/message-of.ts';
import {
	type AttachConfig,
	type ContainerEvent,
	ContainerResizeError,
	ContainerStartError,
	type ExecConfig,
	ExecError,
	type ExecSession,
	PortForwardError,
	type PulledImage,
	type PullOptions,
	type Runtime,
	RuntimeBusy,
	type RuntimeContainer,
	RuntimeUnavailable,
	type Sandbox,
} from '../contract.ts';
import { metadataOf, sandboxIdOf } from '../ids.ts';
import { OWNER_LABEL, type Owner, ownerOf } from '../owner.ts';
import { PortConnections } from '../port-connections.ts';
import { StopTimers } from '../stop-timers.ts';
import { engineResources } from './containers/container-body.ts';
import { ContainerSet } from './containers/container-set.ts';
import type { TrackedContainer } from './containers/tracked-container.ts';
import { DOCKER_FILES } from './docker-files.ts';
import { EngineClient, EngineError, type EngineVersion } from './engine/engine-client.ts';
import { followEvents } from './engine/engine-events.ts';
import { EngineImages } from './engine/engine-images.ts';
import { engineTraits } from './honoured.ts';
import { type SandboxRecord, SandboxRecords } from './sandbox-records.ts';
import { engineExec } from './sessions/engine-exec.ts';
import { outputsOf, sessionOver, type TtySize } from './sessions/engine-sessions.ts';

/** The components and settings of a {@link DockerRuntime}. */
export interface DockerRuntimeOptions {
	/** The runtime folder of the server; created if it does not exist. */
	readonly folder: string;
	/** The path of the engine's socket. */
	readonly socketPath: string;
	readonly clock: Clock;
	/** Size in bytes at which a log file is rotated, as the kubelet's containerLogMaxSize. Default 10 MiB. */
	readonly logMaxBytes?: number;
	/** Maximum number of log files per container, as the kubelet's containerLogMaxFiles. Default 5. */
	readonly logMaxFiles?: number;
	/** How many processes a container may have; 0: no limit, which is the default. */
	readonly maxPids?: number;
	/** Receives errors that no call can reject with, such as a lost connection for events. */
	onError(error: unknown): void;
}

/** See the header of this file. */
export class DockerRuntime implements Runtime {
	readonly #options: DockerRuntimeOptions;
	readonly #client: EngineClient;
	readonly #images: EngineImages;
	readonly #records: SandboxRecords;
	readonly #timers: StopTimers;
	readonly #ports = new PortConnections();
	readonly #listeners = new Set<(event: ContainerEvent) => void>();
	readonly #over = new AbortController();
	#started: { readonly engine: EngineVersion; readonly containers: ContainerSet } | undefined;

	constructor(options: DockerRuntimeOptions) {
		const { folder, socketPath, clock } = options;
		this.#options = options;
		this.#client = new EngineClient(socketPath);
		this.#images = new EngineImages(this.#client);
		this.#records = new SandboxRecords(join(folder, DOCKER_FILES.sandboxes));
		this.#timers = new StopTimers(clock);
	}

	/** Known after `start`. */
	get version(): string {
		const { name = 'docker', version = 'unknown' } = this.#started?.engine ?? {};
		return `${name}://${version}`;
	}

	get traits(): RuntimeTraits {
		return engineTraits(this.#started?.engine);
	}

	/** Rejects if the engine cannot be used. */
	async start(): Promise<void> {
		const { folder, socketPath } = this.#options;
		openPrivateFolder(folder);
		const engine = await this.#client.negotiate().catch((error: unknown) => {
			const isLost = error instanceof RuntimeUnavailable;
			throw isLost ? error : new Error(`the engine at ${socketPath} cannot be used: ${messageOf(error)}`);
		});
		const owner = ownerOf(folder, join(folder, DOCKER_FILES.owner));
		await this.#records.load();
		const containers = this.#containerSet(engine, owner);
		this.#started = { engine, containers };
		const { clock, onError } = this.#options;
		await followEvents(
			{
				client: this.#client,
				clock,
				onError,
				label: `${OWNER_LABEL}=${owner.id}`,
				onConnected: () => containers.synchronize(),
				onLost: () => containers.abandon(),
				onEvent: (engineId, action) => containers.noteEvent(engineId, action),
			},
			this.#over.signal,
		);
	}

	async stop(options: { readonly killAll?: boolean } = {}): Promise<void> {
		if (this.#over.signal.aborted) return;
		if (options.killAll && this.#started) {
			const ids = (await this.listSandboxes()).map(({ id }) => id);
			await Promise.all(ids.map((id) => this.removeSandbox(id)));
		}
		this.#over.abort();
		this.#timers.cancelAll();
		this.#listeners.clear();
		await this.#started?.containers.close();
	}

	subscribe(listener: (event: ContainerEvent) => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	async runSandbox(config: SandboxConfig): Promise<Sandbox> {
		const id = sandboxIdOf(config);
		const existing = this.#records.get(id);
		if (existing) return sandboxOf(id, existing);
		const { namespaces, hostAliases } = config;
		const record: SandboxRecord = {
			metadata: metadataOf(config),
			state: 'ready',
			createdAt: this.#options.clock.now(),
			setup: { namespaces, hostAliases },
			notes: {},
		};
		this.#records.put(record);
		return sandboxOf(id, record);
	}

	async stopSandbox(id: string): Promise<void> {
		const record = this.#records.get(id);
		if (record?.state === 'ready') this.#records.put({ ...record, state: 'stopped' });
		await Promise.all(
			this.#containers()
				.of(id)
				.map((container) => this.#kill(container)),
		);
		this.#ports.close(id);
	}

	async removeSandbox(id: string): Promise<void> {
		await this.stopSandbox(id);
		await Promise.all(
			this.#containers()
				.of(id)
				.map(({ facts }) => this.removeContainer(facts.id)),
		);
		await this.#records.remove(id);
	}

	async listSandboxes(): Promise<readonly Sandbox[]> {
		return Array.from(this.#records.all(), ([id, record]) => sandboxOf(id, record));
	}

	async pullImage(image: string, options?: PullOptions): Promise<PulledImage> {
		const { imageRef, sizeBytes } = await this.#images.pull(image, options);
		return { imageRef, sizeBytes };
	}

	async imageStatus(image: string): Promise<{ readonly imageRef: string } | undefined> {
		const found = await this.#images.find(image);
		return found && { imageRef: found.imageRef };
	}

	async createContainer(sandboxId: string, config: ContainerConfig): Promise<RuntimeContainer> {
		return await this.#containers().create(sandboxId, config);
	}

	async startContainer(id: string): Promise<RuntimeContainer> {
		const container = this.#containers().get(id);
		if (!container) throw new ContainerStartError('RunContainerError', `there is no container ${id}`);
		if (container.status.state !== 'created') return container.status;
		await this.#containers().verify(container);
		try {
			await this.#client.call('POST', `/containers/${container.engineId}/start`);
		} catch (error) {
			if (!(error instanceof EngineError)) throw error;
			if (SHORTAGE.test(error.message))
				throw new RuntimeBusy(`the machine cannot start it now: ${error.message}`);
			await container.failStart(error.message);
			throw new ContainerStartError('RunContainerError', error.message);
		}
		return await container.started();
	}

	async stopContainer(id: string, graceSeconds: number): Promise<void> {
		const container = this.#containers().get(id);
		if (container?.status.state !== 'running') return;
		if (graceSeconds <= 0) return await this.#signal(container, 'SIGKILL');
		const kill = (): void => void this.#signal(container, 'SIGKILL').catch(this.#options.onError);
		this.#timers.set(id, graceSeconds * 1000, kill);
		await this.#signal(container, container.stopSignal);
	}

	async removeContainer(id: string): Promise<void> {
		const container = this.#containers().get(id);
		if (!container) return;
		await this.#kill(container);
		this.#timers.cancel(id);
		await this.#containers().remove(container);
	}

	async listContainers(): Promise<readonly RuntimeContainer[]> {
		return this.#containers()
			.all()
			.map(({ status }) => status);
	}

	async updateContainerResources(id: string, resources: ContainerResources): Promise<void> {
		if (!this.traits.canResize)
			throw new ContainerResizeError(`${this.version} cannot change the resources of a running container`);
		const container = this.#containers().get(id);
		if (container?.status.state !== 'running') return;
		const { cpuMillis, memoryBytes } = resources.limits;
		// The engine takes 0 as unchanged, and -1 for no quota.
		const body = { ...engineResources(resources), ...(cpuMillis === undefined && { CpuQuota: -1 }) };
		if (memoryBytes === undefined && (await this.#hasMemoryLimit(container)))
			throw new ContainerResizeError('the engine cannot remove the memory limit of a running container');
		try {
			await this.#client.call('POST', `/containers/${container.engineId}/update`, { body });
		} catch (error) {
			if (!(error instanceof EngineError)) throw error;
			await container.refresh();
			if (container.status.state === 'running') throw new ContainerResizeError(error.message);
		}
	}

	async usage(): Promise<readonly ContainerUsage[]> {
		return await this.#containers().usage();
	}

	async exec(containerId: string, config: ExecConfig): Promise<ExecSession> {
		const { engineId } = this.#running(containerId);
		return await engineExec(
			{ client: this.#client, clock: this.#options.clock, engineId, signal: this.#over.signal },
			config,
		);
	}

	async attach(containerId: string, config: AttachConfig): Promise<Duplex> {
		const { engineId, streams } = this.#running(containerId);
		const { tty, stdin: hasInput, stdinOnce } = streams;
		const stdin = config.stdin && hasInput;
		const query = { stream: 1, stdin: stdin ? 1 : 0, stdout: 1, stderr: 1 };
		const connection = await this.#client
			.hijack(`/containers/${engineId}/attach`, { query })
			.catch((error: unknown) => {
				if (!(error instanceof EngineError)) throw error;
				throw new ExecError('ContainerNotRunning', error.message);
			});
		const resize = (size: TtySize): Promise<unknown> =>
			this.#client.call('POST', `/containers/${engineId}/resize`, { query: { ...size } });
		const input = stdin ? (stdinOnce ? 'closes' : 'stays') : 'none';
		const lingers = this.#started?.engine.name === 'podman' && hasInput && input !== 'closes';
		const rest = { outputs: outputsOf(config), signal: this.#over.signal, resize };
		return sessionOver(connection, { tty, stdin: input, lingers, ...rest }).streams;
	}

	async portForward(sandboxId: string, port: number): Promise<Duplex> {
		if (this.#records.get(sandboxId)?.state !== 'ready')
			throw new PortForwardError(`sandbox ${sandboxId} is not ready`);
		return await this.#ports.dial(sandboxId, port);
	}

	#containerSet(engine: EngineVersion, owner: Owner): ContainerSet {
		const { clock, logMaxBytes = LOG_MAX_BYTES, logMaxFiles = LOG_MAX_FILES, onError } = this.#options;
		return new ContainerSet({
			client: this.#client,
			images: this.#images,
			records: this.#records,
			engine,
			owner,
			clock,
			maxPids: this.#options.maxPids ?? 0,
			logMaxBytes,
			logMaxFiles,
			onError,
			notify: (status) => {
				for (const listener of this.#listeners) listener({ status });
			},
		});
	}

	#containers(): ContainerSet {
		if (!this.#started || this.#over.signal.aborted)
			throw new RuntimeUnavailable('the runtime is not connected');
		return this.#started.containers;
	}

	#running(id: string): TrackedContainer {
		const container = this.#containers().get(id);
		if (container?.status.state === 'running') return container;
		throw new ExecError('ContainerNotRunning', `container ${id} is not running`);
	}

	/** Kills a container if it runs, and resolves after the event of its exit. */
	async #kill(container: TrackedContainer): Promise<void> {
		if (container.status.state !== 'running') return;
		const exited = container.untilExited();
		await Promise.all([this.#signal(container, 'SIGKILL'), exited]);
	}

	/** Sends a signal; does nothing if the container has ended meanwhile. */
	async #signal(container: TrackedContainer, signal: string): Promise<void> {
		if (signal === 'SIGKILL') this.#timers.cancel(container.facts.id);
		try {
			await this.#client.call('POST', `/containers/${container.engineId}/kill`, { query: { signal } });
		} catch (error) {
			if (!(error instanceof EngineError)) throw error;
			await container.refresh();
			if (container.status.state === 'running') throw error;
		}
	}

	async #hasMemoryLimit({ engineId }: TrackedContainer): Promise<boolean> {
		return await this.#containers().hasMemoryLimit(engineId);
	}
}

const LOG_MAX_BYTES = 10 << 20;
const LOG_MAX_FILES = 5;

/** The errors of an engine that say that the machine is short of something, and not that the container is wrong. */
const SHORTAGE =
	/no space left on device|cannot allocate memory|resource temporarily unavailable|too many open files|disk quota exceeded/i;

function sandboxOf(id: string, { metadata, state, createdAt }: SandboxRecord): Sandbox {
	return { id, config: metadata, state, ip: '127.0.0.1', createdAt };
}
