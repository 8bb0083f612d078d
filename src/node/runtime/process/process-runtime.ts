/**
 * Containers as processes of this machine. The launcher does the work (see launcher.ts) and outlives this
 * side of it; here images become programs, and the connection to the launcher is kept.
 *
 * 1. When the connection is lost a new one is made at once, to the same launcher or to a new one, and
 *    whatever has changed meanwhile is told as events.
 * 2. A call made while there is no connection waits for it; one under way when it is lost rejects.
 */
import { access, mkdir } from 'node:fs/promises';
import { homedir, platform } from 'node:os';
import { dirname, join } from 'node:path';
import type { ProcessUser, RuntimeTraits } from '../../../api/meta/runtime-traits.ts';
import { type Clock, sleep } from '../../../base/clock.ts';
import { openPrivateFolder } from '../../../base/private-files.ts';
import { sandboxOfContainer } from '../ids.ts';
import {
	type ContainerConfig,
	type ContainerEvent,
	ContainerStartError,
	type ContainerStatus,
	type ImageUse,
	type PulledImage,
	type Runtime,
	RuntimeUnavailable,
	type Sandbox,
	type SandboxConfig,
} from '../runtime.ts';
import type { ImageTable } from './image-table.ts';
import { LauncherClient } from './launcher-client.ts';
import { type HostEnvironment, programOf } from './program.ts';
import { type HostProgram, JOURNAL_NAME, type LauncherCalls } from './protocol.ts';

/** What a {@link ProcessRuntime} is made of. */
export interface ProcessRuntimeOptions {
	/** The launcher's folder; made if need be, for this user only. */
	readonly folder: string;
	readonly clock: Clock;
	readonly images: ImageTable;
	/** Of stint. */
	readonly version: string;
	readonly host?: HostEnvironment;
	/** When a log file is set aside, as the kubelet's containerLogMaxSize; 10 MiB by default. */
	readonly logMaxBytes?: number;
	/** How many log files a container may have, as the kubelet's containerLogMaxFiles; 5 by default. */
	readonly logMaxFiles?: number;
	/**
	 * If set, containers do not outlive this process: in whichever way it ends, the launcher kills them, and
	 * removes the folder that is named here.
	 */
	readonly removeAtEnd?: string;
	/** Told of what no call can reject with, such as a connection that cannot be made again. */
	onError(error: unknown): void;
}

const LOG_MAX_BYTES = 10 << 20;
const LOG_MAX_FILES = 5;
const RECONNECT_MS = 500;

interface KnownSandbox {
	readonly hostname: string;
	/** The state of each container as it was last told. */
	readonly told: Map<string, ContainerStatus['state']>;
}

/** See the head of this file. */
export class ProcessRuntime implements Runtime {
	readonly version: string;
	/** Processes of the machine: none of the fields that need a box around the container is honoured. */
	readonly traits: RuntimeTraits = { honours: new Set(), user: thisUser(), os: platform() };
	readonly #options: ProcessRuntimeOptions;
	readonly #listeners = new Set<(event: ContainerEvent) => void>();
	readonly #known = new Map<string, KnownSandbox>();
	#client: Promise<LauncherClient> | undefined;
	#stopped = false;
	/** True as long as it is known that there is nothing, so that nobody has to be asked. */
	#isEmpty = false;

	constructor(options: ProcessRuntimeOptions) {
		this.version = `process://${options.version}`;
		this.#options = options;
	}

	/**
	 * Connects to the launcher if one runs or has left something behind. Otherwise there is nothing to
	 * know, and one is started without waiting for it.
	 */
	async start(): Promise<void> {
		const { folder, onError } = this.#options;
		await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
		openPrivateFolder(folder);
		const left = await access(join(folder, JOURNAL_NAME)).then(
			() => true,
			() => false,
		);
		this.#isEmpty = !left;
		const connected = this.#connected();
		if (left) await connected;
		else connected.catch(onError);
	}

	async stop(options: { readonly killAll?: boolean } = {}): Promise<void> {
		if (this.#stopped) return;
		if (options.killAll && (this.#client || !this.#isEmpty)) await (await this.#connected()).killAll();
		this.#stopped = true;
		const client = await this.#client?.catch(() => undefined);
		this.#client = undefined;
		client?.close();
	}

	subscribe(listener: (event: ContainerEvent) => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	async runSandbox(config: SandboxConfig): Promise<Sandbox> {
		this.#isEmpty = false;
		const sandbox = await this.#call('runSandbox', config);
		this.#know(sandbox);
		return sandbox;
	}

	async stopSandbox(id: string): Promise<void> {
		await this.#call('stopSandbox', id);
	}

	async removeSandbox(id: string): Promise<void> {
		await this.#call('removeSandbox', id);
		this.#known.delete(id);
	}

	async listSandboxes(): Promise<readonly Sandbox[]> {
		return this.#isEmpty ? [] : await this.#call('listSandboxes');
	}

	/** Nothing is pulled: the image is found if it stands for a program of this machine. */
	async pullImage(image: string, use: ImageUse): Promise<PulledImage> {
		const there = await this.imageStatus(image, use);
		if (!there) throw this.#options.images.missing(image);
		return { ...there, sizeBytes: 0 };
	}

	async imageStatus(image: string, use: ImageUse): Promise<{ readonly imageRef: string } | undefined> {
		const entry = await this.#options.images.find(image);
		return entry || use.command?.length ? { imageRef: imageRefOf(image) } : undefined;
	}

	async createContainer(sandboxId: string, config: ContainerConfig): Promise<ContainerStatus> {
		const program = await this.#programOf(sandboxId, config);
		const { logMaxBytes = LOG_MAX_BYTES, logMaxFiles = LOG_MAX_FILES } = this.#options;
		const { name, attempt, image, logPath } = config;
		const what = { name, attempt, image, logPath, imageRef: imageRefOf(image), program };
		return await this.#call('createContainer', sandboxId, { ...what, logMaxBytes, logMaxFiles });
	}

	async startContainer(id: string): Promise<ContainerStatus> {
		return await this.#call('startContainer', id);
	}

	async stopContainer(id: string, graceSeconds: number): Promise<void> {
		await this.#call('stopContainer', id, graceSeconds);
	}

	async removeContainer(id: string): Promise<void> {
		await this.#call('removeContainer', id);
		this.#known.get(sandboxOfContainer(id))?.told.delete(id);
	}

	async listContainers(): Promise<readonly ContainerStatus[]> {
		return this.#isEmpty ? [] : await this.#call('listContainers');
	}

	async #programOf(sandboxId: string, config: ContainerConfig): Promise<HostProgram> {
		const entry = await this.#options.images.find(config.image);
		const hostname = this.#known.get(sandboxId)?.hostname ?? '';
		const host = this.#options.host ?? { path: process.env.PATH, home: homedir() };
		const program = programOf(config, { hostname, entry, host });
		if (program) return program;
		throw new ContainerStartError('CreateContainerError', this.#options.images.missing(config.image).message);
	}

	async #call<Method extends keyof LauncherCalls>(
		method: Method,
		...args: Parameters<LauncherCalls[Method]>
	): Promise<Awaited<ReturnType<LauncherCalls[Method]>>> {
		const client = await this.#connected();
		return await client.call(method, ...args);
	}

	#connected(): Promise<LauncherClient> {
		if (this.#client) return this.#client;
		if (this.#stopped) return Promise.reject(new RuntimeUnavailable('the runtime has been stopped'));
		const attempt = this.#connect();
		this.#client = attempt;
		attempt.catch(() => {
			if (this.#client === attempt) this.#client = undefined;
		});
		return attempt;
	}

	async #connect(): Promise<LauncherClient> {
		const { folder, clock, removeAtEnd } = this.#options;
		const client = await LauncherClient.reach({
			folder,
			clock,
			...(removeAtEnd !== undefined && { removeAtEnd }),
			onStatus: (status) => this.#tell(status),
			onLost: () => this.#lost(),
		});
		const { sandboxes, containers } = await client.list();
		for (const sandbox of sandboxes) this.#know(sandbox);
		for (const status of containers) this.#tell(status);
		return client;
	}

	#lost(): void {
		this.#client = undefined;
		if (!this.#stopped) void this.#reconnect();
	}

	async #reconnect(): Promise<void> {
		while (!this.#stopped) {
			try {
				await this.#connected();
				return;
			} catch (error) {
				this.#options.onError(error);
				await sleep(this.#options.clock, RECONNECT_MS);
			}
		}
	}

	/**
	 * Tells a change, unless it has been told or there is none. What was never asked for from here was
	 * there before: who wants to know reads the lists.
	 */
	#tell(status: ContainerStatus): void {
		const told = this.#known.get(status.sandboxId)?.told;
		const before = told?.get(status.id);
		if (before === 'exited' || before === status.state) return;
		told?.set(status.id, status.state);
		if (before) for (const listener of this.#listeners) listener({ status });
	}

	#know({ id, config }: Sandbox): void {
		if (!this.#known.has(id)) this.#known.set(id, { hostname: config.hostname, told: new Map() });
	}
}

/** The launcher and its containers have the user and groups of this process. */
function thisUser(): ProcessUser | undefined {
	const { getuid, getgid, getgroups } = process;
	return getuid && getgid && { uid: getuid(), gid: getgid(), groups: getgroups?.() ?? [] };
}

/** There is no image; the name stands for itself. */
function imageRefOf(image: string): string {
	return `process://${image}`;
}
