/**
 * The runtime of the CRI: containerd and CRI-O, by gRPC over their Unix socket. The runtime keeps sandboxes, containers, images
 * and logs; this side adds what the contract has beyond the CRI: events, ends of grace periods, names that are known before a call.
 *
 * Read in this order: ../engines/ (what it shares with docker/), cri-runtime.ts; client/: message.ts (the wire format),
 * cri-messages.ts, cri-methods.ts, cri-client.ts; containers/: sandbox-request.ts with security-request.ts and node-dns.ts,
 * cri-sandboxes.ts, container-request.ts, cri-containers.ts, cri-container.ts, cri-state.ts, process-group.ts; poll.ts;
 * images/; logs/; sessions/.
 *
 * 1. A sandbox or container is touched only if its label names this server, and an image is removed only if this server has pulled
 *    it: the runtime may have other users, such as a kubelet.
 * 2. The state is always the runtime's. Nothing but the list of pulled images is kept on this side.
 * 3. Pods have a network of their own if CNI is configured when the server starts, and otherwise that of this machine.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerConfig, ContainerResources } from '../../api/contract/container-config.ts';
import type { Duplex } from '../../api/contract/duplex.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { SandboxConfig } from '../../api/contract/sandbox-config.ts';
import { sleep } from '../../base/clock.ts';
import { openPrivateFolder } from '../../base/files/private-files.ts';
import { messageOf } from '../../base/message-of.ts';
import {
	type AttachConfig,
	ContainerResizeError,
	type ExecConfig,
	ExecError,
	type ExecSession,
	PortForwardError,
	type Runtime,
	type RuntimeContainer,
	type RuntimeImages,
	RuntimeUnavailable,
	type Sandbox,
} from '../contract.ts';
import { EngineRuntime, type EngineRuntimeOptions } from '../engines/engine-runtime.ts';
import { type Owner, ownerOf } from '../engines/owner.ts';
import { withLogDefaults } from '../log-limits.ts';
import { CriClient, CriError, isNotFound } from './client/cri-client.ts';
import { NAMESPACE } from './client/cri-messages.ts';
import { CRI } from './client/cri-methods.ts';
import { resourcesRequest } from './containers/container-request.ts';
import type { TrackedCriContainer } from './containers/cri-container.ts';
import { CriContainers } from './containers/cri-containers.ts';
import { CriSandboxes } from './containers/cri-sandboxes.ts';
import { CRI_FILES } from './cri-files.ts';
import { type CriDescription, describeRuntime } from './description.ts';
import { criTraits } from './honoured.ts';
import { CriImages } from './images/cri-images.ts';
import { PulledImages } from './images/pulled-images.ts';
import { LogKeeper } from './logs/log-keeper.ts';
import { RuntimePoll } from './poll.ts';
import { criCommandSession } from './sessions/command-session.ts';
import { CriExecs } from './sessions/cri-exec.ts';
import { criPort } from './sessions/cri-ports.ts';

/** What is known after the start. */
interface Started {
	readonly description: CriDescription;
	readonly containers: CriContainers;
	readonly logs: LogKeeper;
}

/** See the header of this file. */
export class CriRuntime extends EngineRuntime<TrackedCriContainer, CriContainers> implements Runtime {
	readonly images: RuntimeImages;
	readonly #options: EngineRuntimeOptions;
	readonly #client: CriClient;
	protected readonly imageSource: CriImages;
	readonly #pulled: PulledImages;
	readonly #sandboxes: CriSandboxes;
	readonly #execs = new CriExecs();
	#owner: Owner | undefined;
	#started: Started | undefined;

	constructor(options: EngineRuntimeOptions) {
		super(options);
		const { folder, socketPath, clock } = options;
		this.#options = options;
		this.#client = new CriClient(socketPath, clock);
		this.#pulled = new PulledImages(join(folder, CRI_FILES.images), clock);
		this.imageSource = new CriImages(this.#client, this.#pulled);
		this.images = this.imageSource;
		this.#sandboxes = new CriSandboxes({
			client: this.#client,
			facts: async () => ({
				owner: this.#ownership(),
				hasPodNetwork: this.#started?.description.hasPodNetwork ?? false,
				resolvConf: await readFile('/etc/resolv.conf', 'utf8').catch(() => ''),
			}),
		});
	}

	/** Known after `start`. */
	get version(): string {
		return this.#started?.description.version ?? 'cri://unknown';
	}

	get traits(): RuntimeTraits {
		return criTraits(this.#started?.description ?? { hasPodNetwork: false, hasAppArmor: false });
	}

	/** Rejects if the runtime cannot be used. */
	async start(): Promise<void> {
		const { folder, socketPath, clock, onError, maxPids = 0 } = this.#options;
		openPrivateFolder(folder);
		const owner = ownerOf(folder, join(folder, CRI_FILES.owner));
		this.#owner = owner;
		this.#pulled.load();
		const description = await describeRuntime(this.#client).catch((error: unknown) => {
			const isLost = error instanceof RuntimeUnavailable;
			throw isLost ? error : new Error(`the runtime at ${socketPath} cannot be used: ${messageOf(error)}`);
		});
		const containers = new CriContainers({
			client: this.#client,
			clock,
			images: this.imageSource,
			owner,
			maxPids,
			hasRecursiveReadOnly: description.hasRecursiveReadOnly,
			sandboxOf: (id) => this.#sandboxes.get(id),
			notify: (status) => {
				this.notify(status);
				if (status.state === 'running') poll.soon();
			},
		});
		const signal = this.over.signal;
		const poll = new RuntimePoll({ client: this.#client, clock, containers, onError, signal });
		const { logMaxBytes: maxBytes, logMaxFiles: maxFiles } = withLogDefaults(this.#options);
		const logs = new LogKeeper({ client: this.#client, clock, maxBytes, maxFiles, onError });
		this.#started = { description, containers, logs };
		await this.#sandboxes.list();
		await containers.synchronize();
		poll.run();
		logs.run(() => containers.all(), signal);
	}

	protected override get found(): CriContainers | undefined {
		return this.#started?.containers;
	}

	protected override async disconnect(): Promise<void> {
		this.found?.abandon();
		await this.#client.close();
	}

	async runSandbox(config: SandboxConfig): Promise<Sandbox> {
		this.connected();
		return await this.#sandboxes.run(config);
	}

	override async stopSandbox(id: string): Promise<void> {
		await this.endContainersOf(id);
		await this.#sandboxes.stop(id);
		this.ports.close(id);
	}

	protected override async removeEmptySandbox(id: string): Promise<void> {
		await this.#sandboxes.remove(id);
	}

	override async listSandboxes(): Promise<readonly Sandbox[]> {
		this.connected();
		return await this.#sandboxes.list();
	}

	override async createContainer(sandboxId: string, config: ContainerConfig): Promise<RuntimeContainer> {
		this.connected();
		await this.#started?.logs.prepare(config.logPath);
		return await super.createContainer(sandboxId, config);
	}

	protected override async startCreated(container: TrackedCriContainer): Promise<RuntimeContainer> {
		return await this.connected().start(container);
	}

	protected override async askToStop(container: TrackedCriContainer, graceSeconds: number): Promise<void> {
		// It takes as long as the container: what it sends at once is the signal. The kill comes from the timer, or from the
		// runtime if this server is gone by then.
		void this.#signal(container, Math.ceil(graceSeconds)).catch((error: unknown) => {
			if (!this.over.signal.aborted) this.#options.onError(error);
		});
		await container.refresh();
	}

	protected override async kill(container: TrackedCriContainer): Promise<void> {
		await this.#signal(container, 0);
	}

	async updateContainerResources(id: string, resources: ContainerResources): Promise<void> {
		const container = this.connected().get(id);
		if (container?.status.state !== 'running') return;
		const request = resourcesRequest(resources);
		const linux = {
			...request,
			// 0 means unchanged here, and -1 no limit.
			cpuQuota: request.cpuQuota || -1,
			memoryLimitInBytes: request.memoryLimitInBytes || -1,
		};
		try {
			await this.#client.call(CRI.updateContainerResources, { containerId: container.criId, linux });
		} catch (error) {
			if (!(error instanceof CriError)) throw error;
			await container.refresh();
			if (container.status.state === 'running') throw new ContainerResizeError(error.message);
		}
	}

	async exec(containerId: string, config: ExecConfig): Promise<ExecSession> {
		const { criId } = this.running(containerId);
		const { clock } = this.#options;
		return await this.#execs.start({ client: this.#client, clock, criId, signal: this.over.signal }, config);
	}

	async attach(containerId: string, config: AttachConfig): Promise<Duplex> {
		const container = this.running(containerId);
		const { tty, stdin: hasInput, stdinOnce } = container.streams;
		const stdin = config.stdin && hasInput;
		const { criId } = container;
		const request = { containerId: criId, stdin, tty, stdout: true, stderr: !tty };
		const { url } = await this.#client.call(CRI.attach, request).catch((error: unknown) => {
			if (!(error instanceof CriError)) throw error;
			throw new ExecError('ContainerNotRunning', error.message);
		});
		const { stdout, stderr } = config;
		const input = stdin ? (stdinOnce ? 'closes' : 'stays') : 'none';
		const settings = { tty, stdout, stderr, stdin: input, signal: this.over.signal } as const;
		const { streams } = await criCommandSession(url, settings);
		await sleep(this.#options.clock, ATTACH_MS);
		return streams;
	}

	async portForward(sandboxId: string, port: number): Promise<Duplex> {
		const sandbox = this.#sandboxes.get(sandboxId);
		if (sandbox?.state !== 'ready') throw new PortForwardError(`sandbox ${sandboxId} is not ready`);
		const { network } = sandbox.config?.linux?.securityContext?.namespaceOptions ?? {};
		// Directly where that is possible: containerd 1.6 cuts a connection a second after the end of one direction.
		if (network === NAMESPACE.node) return await this.ports.dial(sandboxId, port);
		const request = { podSandboxId: sandbox.criId, ports: [port] };
		const { url } = await this.#client.call(CRI.portForward, request).catch((error: unknown) => {
			throw error instanceof CriError ? new PortForwardError(error.message) : error;
		});
		return this.ports.keep(sandboxId, await criPort(url, port));
	}

	#ownership(): Owner {
		if (!this.#owner) throw new RuntimeUnavailable('the runtime is not connected');
		return this.#owner;
	}

	/** Stops a container, and reports its end once the runtime has; does nothing if it has ended meanwhile. */
	async #signal(container: TrackedCriContainer, timeout: number): Promise<void> {
		try {
			await this.#client.call(CRI.stopContainer, { containerId: container.criId, timeout });
		} catch (error) {
			if (!isNotFound(error)) throw error;
		}
		await container.refresh();
	}
}

/**
 * How long a runtime takes to pass the output on to a client whose streams it has accepted. It does not tell when it does so:
 * without the time, a client missed output that was written right after the call, in one of four runs of the contract suite.
 */
const ATTACH_MS = 100;
