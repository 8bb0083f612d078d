/**
 * The runtimes whose containers are started by a launcher: a separate small process, which outlives the server. This side
 * keeps the connection to it. Where the program and the isolation of a container come from is the part of a program
 * source: the machine itself (host-programs.ts) or images (../sandbox).
 *
 * Read in this order. Server side: launcher-runtime.ts, program-source.ts, host-programs.ts, launcher/launcher-connection.ts,
 * launcher/launcher-client.ts, launcher/protocol.ts, program.ts, images/image-table.ts, shim/probe.ts and shim/box.ts
 * (isolation). Launcher, in launcher/: launcher-main.ts and launcher-life.ts (start and exit), launcher-server.ts (socket),
 * launcher.ts (calls), journal.ts and recovery.ts (recovery), launcher-lock.ts. One container:
 * containers/container-process.ts, containers/main-process.ts with its two implementations shim/shim.ts and
 * containers/spawned-process.ts (without the shim), output/output-pump.ts, output/log-file.ts, folders/sweeper.ts. Commands
 * in a container and clients that attach, in sessions/: session-client.ts (server side), session-protocol.ts,
 * session-server.ts, container-session.ts. Networks of Pods, in network/: runtime-networks.ts (server side), pod-networks.ts,
 * host-bridge.ts, service-ports.ts (root); in network/node/ (ordinary users): node-bridge.ts (launcher), node-sockets.ts and egress.ts (server).
 * The launcher's code must import little: each MB slows forks.
 */

import { access, mkdir, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import type { ContainerConfig, ContainerResources } from '../../api/contract/container-config.ts';
import type { Duplex } from '../../api/contract/duplex.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { SandboxConfig } from '../../api/contract/sandbox-config.ts';
import type { ContainerUsage } from '../../api/contract/usage.ts';
import type { Clock } from '../../base/clock.ts';
import { openPrivateFolder } from '../../base/files/private-files.ts';
import {
	type AttachConfig,
	type ContainerEvent,
	ContainerResizeError,
	ContainerStartError,
	type ExecConfig,
	ExecError,
	type ExecSession,
	type PulledImage,
	type PullOptions,
	type Runtime,
	type RuntimeContainer,
	type RuntimeImages,
	RuntimeUnavailable,
	type Sandbox,
} from '../contract.ts';
import { type ContainerFiles, OWN_FILES } from '../files/container-files.ts';
import { containerIdOf, metadataOf, sandboxOfContainer } from '../ids.ts';
import { type LogLimits, withLogDefaults } from '../log-limits.ts';
import type { PodSockets } from '../pod-sockets.ts';
import { type CgroupController, containerLimitsOf, podLimitsOf } from './cgroups/cgroup-limits.ts';
import { controllersIn, findHierarchies } from './cgroups/hierarchies.ts';
import { RealPaths } from './folders/real-paths.ts';
import { LauncherConnection } from './launcher/launcher-connection.ts';
import { JOURNAL_NAME } from './launcher/launcher-files.ts';
import type { HostSandbox, HostSandboxConfig } from './launcher/protocol.ts';
import { type NetworkOptions, RuntimeNetworks } from './network/runtime-networks.ts';
import { patientList } from './patient-list.ts';
import type { ProgramSource } from './program-source.ts';
import { commandSession, openSession } from './sessions/session-client.ts';
import type { ContainerSessionRequest } from './sessions/session-protocol.ts';
import { isPause, joiningBox, startPause, targetContainerOf } from './shared-processes.ts';
import type { BoxLevel } from './shim/box.ts';
import { prepareBox, type WorkFolder } from './shim/prepare-box.ts';
import { withoutBox } from './shim/probe.ts';
import { shimFile } from './shim/shim-file.ts';
import type { ContainerBox } from './shim/shim-request.ts';

/** The components and settings of a {@link LauncherRuntime}. */
export interface LauncherRuntimeOptions extends NetworkOptions, LogLimits {
	/** The launcher's folder; created if it does not exist, accessible for this user only. */
	readonly folder: string;
	readonly clock: Clock;
	readonly source: ProgramSource;
	/** Version of stint, part of the Node's `containerRuntimeVersion`. */
	readonly version: string;
	/** If true, the launcher starts containers as its children: they have no box, and end with the launcher. */
	readonly withoutShim?: boolean;
	/** The most processes and threads that a Pod may have, as the kubelet's podPidsLimit; 0 or absent: not limited. */
	readonly podMaxPids?: number;
	/** Called at the start if containers have no namespaces of their own: at the levels `chroot` and `none`. */
	onUnisolated?(reason: string): void;
	/**
	 * If set, containers do not outlive this process: when it ends, by a crash or SIGKILL too, the launcher kills
	 * them and removes the folder named here.
	 */
	readonly removeAtEnd?: string;
}

interface KnownSandbox {
	readonly config: HostSandboxConfig;
	/** By container id, the state that listeners and callers received last. */
	readonly reported: Map<string, RuntimeContainer['state']>;
	/** The ids of containers for which the source may have made something, also if they could not be created. */
	readonly prepared: Set<string>;
}

/** See the header of this file. */
export class LauncherRuntime implements Runtime {
	readonly version: string;
	#machine = withoutBox('the runtime has not been started');
	#controllers: ReadonlySet<CgroupController> = new Set();
	#traits: RuntimeTraits;
	readonly #options: LauncherRuntimeOptions;
	readonly #listeners = new Set<(event: ContainerEvent) => void>();
	readonly #known = new Map<string, KnownSandbox>();
	readonly #networks: RuntimeNetworks;
	/** The launcher's folder. */
	#workFolder: WorkFolder;
	readonly #launcher: LauncherConnection;
	/** True while there certainly is no sandbox, so that the lists need no launcher. */
	#isEmpty = false;

	constructor(options: LauncherRuntimeOptions) {
		this.version = `${options.source.name}://${options.version}`;
		this.#options = options;
		this.#workFolder = { path: '', realPaths: new RealPaths(options.clock) };
		this.#networks = new RuntimeNetworks(options);
		this.#traits = this.#traitsWith(false);
		this.#launcher = new LauncherConnection({
			folder: options.folder,
			clock: options.clock,
			withoutShim: options.withoutShim ?? false,
			...(options.removeAtEnd !== undefined && { removeAtEnd: options.removeAtEnd }),
			onSandbox: (sandbox) => void this.#know(sandbox).catch(options.onError),
			onStatus: (status) => this.#notify(status),
			onConnected: (client) => this.#networks.open(client),
			onError: options.onError,
		});
	}

	/**
	 * What it honours depends on what this machine allows: it is known after `start`, and the same object from then on.
	 * Admission and the workers of the Pods read it ten times for a Pod: made anew each time, it took 0.2 ms of 10.
	 */
	get traits(): RuntimeTraits {
		return this.#traits;
	}

	#traitsWith(usesShim: boolean): RuntimeTraits {
		const machine = { isolation: this.#machine, controllers: this.#controllers, usesShim };
		const traits = this.#networks.traitsWith((facts) =>
			this.#options.source.traitsOn({ ...machine, ...facts }),
		);
		const { level, reason } = this.#machine;
		return { ...traits, isolation: { level, ...(isUnisolated(level) && { reason }) } };
	}

	/**
	 * If an earlier launcher has left a journal, waits for a connection, since there may be containers. Otherwise starts
	 * a launcher without waiting for it, which saves its start-up time.
	 */
	async start(): Promise<void> {
		const { folder, onError, source } = this.#options;
		await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
		openPrivateFolder(folder);
		this.#workFolder = { ...this.#workFolder, path: await realpath(folder) };
		const file = this.#options.withoutShim ? undefined : shimFile();
		this.#machine = await source.start(file);
		const { level, reason } = this.#machine;
		if (isUnisolated(level)) this.#options.onUnisolated?.(reason);
		if (level !== 'none') this.#controllers = controllersIn(findHierarchies());
		await this.#networks.start(file, this.#machine);
		const left = await access(join(folder, JOURNAL_NAME)).then(
			() => true,
			() => false,
		);
		this.#isEmpty = !left;
		const connected = this.#launcher.connected();
		if (left) await connected;
		else connected.catch(onError);
		await this.#networks.opened(connected);
		this.#traits = this.#traitsWith(file !== undefined);
		const containers = await patientList(() => this.listContainers(), this.#options.clock);
		await source.releaseOthers(new Set(containers.map(({ id }) => id))).catch(onError);
	}

	get podSockets(): PodSockets {
		return this.#networks.sockets;
	}

	get containerFiles(): ContainerFiles {
		return this.#options.source.containerFiles ?? OWN_FILES;
	}

	async stop(options: { readonly killAll?: boolean } = {}): Promise<void> {
		if (this.#launcher.isClosed) return;
		if (options.killAll && (this.#launcher.isOpen || !this.#isEmpty))
			await (await this.#launcher.connected()).killAll();
		this.#launcher.endAttempts();
		this.#networks.stop();
		await this.#options.source.stop();
		await this.#launcher.close();
	}

	subscribe(listener: (event: ContainerEvent) => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	async runSandbox(config: SandboxConfig): Promise<Sandbox> {
		this.#isEmpty = false;
		const { namespaces, sysctls, ports } = config;
		const podRange = namespaces.network === 'pod' ? this.#networks.podRange : undefined;
		const limits = podLimitsOf(config.resources, this.#options.podMaxPids ?? 0, this.#controllers);
		const sandbox = await this.#launcher.call('runSandbox', {
			...metadataOf(config),
			namespaces,
			sysctls,
			...(limits && { limits }),
			...(podRange !== undefined && { podRange, ports }),
		});
		try {
			await this.#know(sandbox);
		} catch (error) {
			await this.removeSandbox(sandbox.id);
			throw error;
		}
		return sandbox;
	}

	async stopSandbox(id: string): Promise<void> {
		await this.#launcher.call('stopSandbox', id);
		this.#networks.forget(id);
	}

	async removeSandbox(id: string): Promise<void> {
		const { reported, prepared } = this.#known.get(id) ?? {};
		const containers = new Set([...(reported?.keys() ?? []), ...(prepared ?? [])]);
		await this.#launcher.call('removeSandbox', id);
		await this.#options.source.release([...containers]);
		this.#known.delete(id);
		this.#networks.forget(id);
	}

	async listSandboxes(): Promise<readonly Sandbox[]> {
		return this.#isEmpty ? [] : await this.#launcher.call('listSandboxes');
	}

	get images(): RuntimeImages | undefined {
		return this.#options.source.images;
	}

	async pullImage(image: string, options: PullOptions = {}): Promise<PulledImage> {
		return await this.#options.source.pull(image, options);
	}

	async imageStatus(
		image: string,
		options: PullOptions = {},
	): Promise<{ readonly imageRef: string } | undefined> {
		return await this.#options.source.statusOf(image, options);
	}

	async createContainer(sandboxId: string, config: ContainerConfig): Promise<RuntimeContainer> {
		const { source } = this.#options;
		const { name, attempt, image, logPath } = config;
		const id = containerIdOf(sandboxId, config);
		await this.#launcher.connected();
		const known = this.#known.get(sandboxId);
		if (!known) throw new ContainerStartError('CreateContainerError', `sandbox ${sandboxId} is not ready`);
		// Released with the sandbox whatever fails from here on. Not at the failure: the call may be a repeated one.
		known.prepared.add(id);
		const sourced = await source.prepare(id, { config, sandbox: known.config, machine: this.#machine });
		const { box } = sourced;
		const { workingDir } = sourced.program;
		if (box) await prepareBox(config, isAbsolute(workingDir) ? undefined : this.#workFolder);
		const shared =
			box && ((await this.#sharedWith(sandboxId, box)) ?? targetContainerOf(config, box, known.reported));
		const { tty, stdin, stdinOnce, resources } = config;
		const limits = containerLimitsOf(resources, this.#controllers);
		return await this.#launcher.call('createContainer', sandboxId, {
			name,
			attempt,
			image,
			logPath,
			...withLogDefaults(this.#options),
			...sourced,
			...(box && shared !== undefined && { box: joiningBox(box), join: shared }),
			tty,
			stdin,
			stdinOnce,
			...(limits && { limits }),
		});
	}

	async startContainer(id: string): Promise<RuntimeContainer> {
		return await this.#launcher.call('startContainer', id);
	}

	async stopContainer(id: string, graceSeconds: number): Promise<void> {
		await this.#launcher.call('stopContainer', id, graceSeconds);
	}

	async removeContainer(id: string): Promise<void> {
		await this.#launcher.call('removeContainer', id);
		await this.#options.source.release([id]);
		const known = this.#known.get(sandboxOfContainer(id));
		known?.reported.delete(id);
		known?.prepared.delete(id);
	}

	async listContainers(): Promise<readonly RuntimeContainer[]> {
		if (this.#isEmpty) return [];
		return (await this.#launcher.call('listContainers')).filter((each) => !isPause(each));
	}

	async updateContainerResources(id: string, resources: ContainerResources): Promise<void> {
		if (!this.traits.canResize) throw new ContainerResizeError('stint may not make control groups here');
		try {
			await this.#launcher.call(
				'updateContainerLimits',
				id,
				containerLimitsOf(resources, this.#controllers) ?? {},
			);
		} catch (error) {
			throw error instanceof RuntimeUnavailable
				? error
				: new ContainerResizeError(error instanceof Error ? error.message : String(error));
		}
	}

	async usage(): Promise<readonly ContainerUsage[]> {
		if (this.#isEmpty) return [];
		const { source } = this.#options;
		const used = await this.#launcher.call('usage');
		return await Promise.all(
			used.map(async (each) => ({
				...each,
				// A folder that cannot be measured counts as empty.
				writableLayerBytes: (await source.writtenBytes?.(each.id).catch(() => 0)) ?? 0,
			})),
		);
	}

	async exec(containerId: string, config: ExecConfig): Promise<ExecSession> {
		return commandSession(await this.#session({ kind: 'exec', containerId, config }));
	}

	async attach(containerId: string, config: AttachConfig): Promise<Duplex> {
		return await this.#session({ kind: 'attach', containerId, config });
	}

	/** Opens a session with the launcher, once it can take calls. */
	async #session(request: ContainerSessionRequest): Promise<Duplex> {
		if (this.#isEmpty)
			throw new ExecError('ContainerNotRunning', `container ${request.containerId} is not running`);
		await this.#launcher.connected();
		return await openSession(this.#options.folder, request);
	}

	async portForward(sandboxId: string, port: number): Promise<Duplex> {
		const sandboxes = this.#isEmpty ? [] : await this.#launcher.call('listSandboxes');
		return await this.#networks.dial(sandboxes, { folder: this.#options.folder, sandboxId, port });
	}

	/** The container whose namespaces the containers of the sandbox share; undefined if each has its own. */
	async #sharedWith(sandboxId: string, box: ContainerBox): Promise<string | undefined> {
		const { pid } = this.#known.get(sandboxId)?.config.namespaces ?? {};
		const shim = shimFile();
		if (shim === undefined || pid !== 'pod' || !box.namespaces.includes('p')) return undefined;
		const calls: Parameters<typeof startPause>[0] = {
			createContainer: (id, config) => this.#launcher.call('createContainer', id, config),
			startContainer: (id) => this.#launcher.call('startContainer', id),
		};
		return await startPause(calls, sandboxId, { box, folder: this.#options.folder, shim });
	}

	/**
	 * Notifies the listeners of a change of state, once. A container without an earlier state is recorded only: it
	 * was created just now, or before this connection, and callers learn about it from the result or the lists.
	 */
	#notify(status: RuntimeContainer): void {
		if (isPause(status)) return;
		const reported = this.#known.get(status.sandboxId)?.reported;
		const before = reported?.get(status.id);
		if (before === 'exited' || before === status.state) return;
		reported?.set(status.id, status.state);
		if (before) for (const listener of this.#listeners) listener({ status });
	}

	/** Rejects as {@link RuntimeNetworks.note}. */
	async #know(sandbox: HostSandbox): Promise<void> {
		const { id, config } = sandbox;
		if (!this.#known.has(id)) this.#known.set(id, { config, reported: new Map(), prepared: new Set() });
		await this.#networks.note(sandbox);
	}
}

function isUnisolated(level: BoxLevel): boolean {
	return level === 'none' || level === 'chroot';
}
