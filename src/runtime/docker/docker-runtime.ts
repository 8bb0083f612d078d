/**
 * The runtime of container engines: Docker and Podman, by the API of Docker over their Unix socket. The engine runs the
 * containers and keeps them; this side keeps the sandboxes, which engines do not have, and copies the logs.
 *
 * Read in this order: ../engines/ (what it shares with cri/), docker-runtime.ts, engine-client.ts (HTTP), container-labels.ts
 * (which containers are ours), tracked-container.ts and container-state.ts (one container), engine-events.ts,
 * container-body.ts and bind-mounts.ts (the creation), sandbox-records.ts, engine-log.ts with engine-log-reader.ts and
 * written-entries.ts, engine-images.ts, engine-exec.ts and engine-sessions.ts, engine-endpoint.ts.
 *
 * 1. A container is touched only if its label names this server. Images are the user's: none is removed.
 * 2. The state of a container is always the engine's. An event, a call or a new connection only causes an inspection.
 * 3. Containers have the network of the host.
 */
import { join } from 'node:path';
import type { ContainerResources } from '../../api/contract/container-config.ts';
import type { Duplex } from '../../api/contract/duplex.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { SandboxConfig } from '../../api/contract/sandbox-config.ts';
import { openPrivateFolder } from '../../base/files/private-files.ts';
import { messageOf } from '../../base/message-of.ts';
import {
	type AttachConfig,
	ContainerResizeError,
	ContainerStartError,
	type ExecConfig,
	ExecError,
	type ExecSession,
	PortForwardError,
	type Runtime,
	type RuntimeContainer,
	RuntimeUnavailable,
	type Sandbox,
} from '../contract.ts';
import { EngineRuntime, type EngineRuntimeOptions } from '../engines/engine-runtime.ts';
import { OWNER_LABEL, type Owner, ownerOf } from '../engines/owner.ts';
import { shortageOf } from '../engines/shortage.ts';
import { metadataOf, sandboxIdOf } from '../ids.ts';
import { withLogDefaults } from '../log-limits.ts';
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

/** See the header of this file. */
export class DockerRuntime extends EngineRuntime<TrackedContainer, ContainerSet> implements Runtime {
	readonly #options: EngineRuntimeOptions;
	readonly #client: EngineClient;
	protected readonly imageSource: EngineImages;
	readonly #records: SandboxRecords;
	#started: { readonly engine: EngineVersion; readonly containers: ContainerSet } | undefined;

	constructor(options: EngineRuntimeOptions) {
		super(options);
		const { folder, socketPath } = options;
		this.#options = options;
		this.#client = new EngineClient(socketPath);
		this.imageSource = new EngineImages(this.#client);
		this.#records = new SandboxRecords(join(folder, DOCKER_FILES.sandboxes));
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
			this.over.signal,
		);
	}

	protected override get found(): ContainerSet | undefined {
		return this.#started?.containers;
	}

	protected override async disconnect(): Promise<void> {
		await this.found?.close();
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

	override async stopSandbox(id: string): Promise<void> {
		const record = this.#records.get(id);
		if (record?.state === 'ready') this.#records.put({ ...record, state: 'stopped' });
		await this.endContainersOf(id);
		this.ports.close(id);
	}

	protected override async removeEmptySandbox(id: string): Promise<void> {
		await this.#records.remove(id);
	}

	override async listSandboxes(): Promise<readonly Sandbox[]> {
		return Array.from(this.#records.all(), ([id, record]) => sandboxOf(id, record));
	}

	protected override async startCreated(container: TrackedContainer): Promise<RuntimeContainer> {
		await this.connected().verify(container);
		try {
			await this.#client.call('POST', `/containers/${container.engineId}/start`);
		} catch (error) {
			if (!(error instanceof EngineError)) throw error;
			const shortage = shortageOf(error.message);
			if (shortage) throw shortage;
			await container.failStart(error.message);
			throw new ContainerStartError('RunContainerError', error.message);
		}
		return await container.started();
	}

	protected override async askToStop(container: TrackedContainer): Promise<void> {
		await this.#signal(container, container.stopSignal);
	}

	protected override async kill(container: TrackedContainer): Promise<void> {
		container.noteKilled();
		await this.#signal(container, 'SIGKILL');
	}

	async updateContainerResources(id: string, resources: ContainerResources): Promise<void> {
		if (!this.traits.canResize)
			throw new ContainerResizeError(`${this.version} cannot change the resources of a running container`);
		const container = this.connected().get(id);
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

	async exec(containerId: string, config: ExecConfig): Promise<ExecSession> {
		const { engineId } = this.running(containerId);
		return await engineExec(
			{ client: this.#client, clock: this.#options.clock, engineId, signal: this.over.signal },
			config,
		);
	}

	async attach(containerId: string, config: AttachConfig): Promise<Duplex> {
		const { engineId, streams } = this.running(containerId);
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
		const rest = { outputs: outputsOf(config), signal: this.over.signal, resize };
		return sessionOver(connection, { tty, stdin: input, lingers, ...rest }).streams;
	}

	async portForward(sandboxId: string, port: number): Promise<Duplex> {
		if (this.#records.get(sandboxId)?.state !== 'ready')
			throw new PortForwardError(`sandbox ${sandboxId} is not ready`);
		return await this.ports.dial(sandboxId, port);
	}

	#containerSet(engine: EngineVersion, owner: Owner): ContainerSet {
		const { clock, maxPids = 0, onError } = this.#options;
		return new ContainerSet({
			client: this.#client,
			images: this.imageSource,
			records: this.#records,
			engine,
			owner,
			clock,
			maxPids,
			...withLogDefaults(this.#options),
			onError,
			notify: (status) => this.notify(status),
		});
	}

	/** Sends a signal; does nothing if the container has ended meanwhile. */
	async #signal(container: TrackedContainer, signal: string): Promise<void> {
		try {
			await this.#client.call('POST', `/containers/${container.engineId}/kill`, { query: { signal } });
		} catch (error) {
			if (!(error instanceof EngineError)) throw error;
			await container.refresh();
			if (container.status.state === 'running') throw error;
		}
	}

	async #hasMemoryLimit({ engineId }: TrackedContainer): Promise<boolean> {
		return await this.connected().hasMemoryLimit(engineId);
	}
}

function sandboxOf(id: string, { metadata, state, createdAt }: SandboxRecord): Sandbox {
	return { id, config: metadata, state, ip: '127.0.0.1', createdAt };
}
