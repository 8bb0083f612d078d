/**
 * A runtime without processes, for tests, the simulation and benchmarks. Containers are entries in maps, and timers
 * of the given clock end them. After `stop` and `start` it still has the same containers, so that it behaves as the
 * machine that a restarted server finds.
 */

import type { ContainerConfig, ContainerResources } from '../../api/contract/container-config.ts';
import type { Duplex } from '../../api/contract/duplex.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { SandboxConfig } from '../../api/contract/sandbox-config.ts';
import type { ContainerUsage } from '../../api/contract/usage.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import {
	type AttachConfig,
	type ContainerEvent,
	ContainerResizeError,
	ContainerStartError,
	type ExecConfig,
	ExecError,
	type ExecSession,
	type ImageError,
	PortForwardError,
	type PulledImage,
	type Runtime,
	type RuntimeContainer,
	type RuntimeImages,
	RuntimeUnavailable,
	type Sandbox,
} from '../contract.ts';
import { CriLogWriter } from '../cri-log-writer.ts';
import { containerIdOf, metadataOf, sandboxIdOf } from '../ids.ts';
import { LogTime } from '../log-time.ts';
import { type FakeAttachments, openAttachments } from './fake-attach.ts';
import { execByCommand, type FakeExec, startFakeExec } from './fake-exec.ts';
import { echoPort, type FakePort, openFakePort } from './fake-port.ts';
import { type FakeProgram, programByCommand } from './fake-program.ts';
import { idleUsage } from './fake-usage.ts';

/** The components and settings of a {@link FakeRuntime}. */
export interface FakeRuntimeOptions {
	readonly clock: Clock;
	readonly random: Random;
	/** Returns the behaviour of a container. Default: {@link programByCommand}. */
	program?(config: ContainerConfig, sandbox: SandboxConfig): FakeProgram;
	/** Returns the behaviour of a command that is run in a container. Default: {@link execByCommand}. */
	exec?(config: ExecConfig, container: ContainerConfig): FakeExec;
	/**
	 * Returns the behaviour of a port of a sandbox; undefined if nothing listens on it. Default: ports with a `hostPort`
	 * return what they receive.
	 */
	port?(port: number, sandbox: SandboxConfig): FakePort | undefined;
	/** Returns the error of a pull; undefined if the image is available. Default: all images are available. */
	imageError?(image: string): ImageError | undefined;
	/** Its images. Default: it manages none. */
	readonly images?: RuntimeImages;
	/** What a running container uses; default: nothing. */
	usage?(container: ContainerConfig): Partial<ContainerUsage>;
	/** Returns why a container cannot get these resources; undefined if it can, which is the default. */
	resizeError?(resources: ContainerResources, container: ContainerConfig): string | undefined;
	/** The fields that it claims to honour. Default: all of them. */
	readonly traits?: RuntimeTraits;
	/** Receives the entries for a log file, and termination messages. By default they are discarded. */
	appendLog?(path: string, lines: Uint8Array): void;
}

interface Container {
	status: RuntimeContainer;
	readonly config: ContainerConfig;
	resources: ContainerResources;
	program: FakeProgram;
	end?: Timer;
	kill?: { readonly due: number; readonly timer: Timer };
	/** Kills the commands that run in it. */
	readonly execKills: Set<() => void>;
	readonly attachments: FakeAttachments;
}

interface Entry {
	sandbox: Sandbox;
	readonly config: SandboxConfig;
	readonly containers: Map<string, Container>;
	/** Close the connections to its ports. */
	readonly connections: Set<() => void>;
}

const PRETENDS_EVERYTHING: RuntimeTraits = {
	honours: 'everything',
	user: { uid: 0, gid: 0, groups: [] },
	os: 'linux',
	runsHostPrograms: false,
	canExec: true,
	canResize: true,
	mountsImages: true,
	hostsFile: 'pod',
};

const SIGKILL = 9;
const SIGTERM = 15;

/** See the header of this file. */
export class FakeRuntime implements Runtime {
	readonly version = 'fake://1';
	readonly traits: RuntimeTraits;
	readonly images: RuntimeImages | undefined;
	readonly #options: FakeRuntimeOptions;
	readonly #logTime: LogTime;
	readonly #listeners = new Set<(event: ContainerEvent) => void>();
	readonly #sandboxes = new Map<string, Entry>();
	readonly #containers = new Map<string, Container>();
	#isDown = false;

	constructor(options: FakeRuntimeOptions) {
		this.#options = options;
		this.images = options.images;
		this.traits = options.traits ?? PRETENDS_EVERYTHING;
		const nanos = (): bigint => BigInt(options.clock.now()) * 1_000_000n;
		this.#logTime = new LogTime(options.clock, nanos);
	}

	/** Simulates the death of the runtime and its containers. All calls reject until {@link recover}. */
	crash(): void {
		this.#isDown = true;
		for (const container of this.#containers.values()) disarm(container);
	}

	/** Simulates the restart of the runtime: it reports the containers that ran as lost. */
	recover(): void {
		this.#isDown = false;
		for (const container of [...this.#containers.values()]) {
			if (container.status.state === 'created') this.#forget(container);
			if (container.status.state !== 'running') continue;
			const message = 'the runtime crashed';
			this.#exit(container, { exitCode: 137, reason: 'ContainerStatusUnknown', message });
		}
	}

	async start(): Promise<void> {
		this.#check();
	}

	async stop(options: { readonly killAll?: boolean } = {}): Promise<void> {
		if (options.killAll) for (const id of [...this.#sandboxes.keys()]) await this.removeSandbox(id);
		this.#listeners.clear();
	}

	subscribe(listener: (event: ContainerEvent) => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	async runSandbox(config: SandboxConfig): Promise<Sandbox> {
		this.#check();
		const id = sandboxIdOf(config);
		const existing = this.#sandboxes.get(id);
		if (existing) return existing.sandbox;
		const createdAt = this.#options.clock.now();
		const sandbox: Sandbox = { id, config: metadataOf(config), state: 'ready', ip: '127.0.0.1', createdAt };
		this.#sandboxes.set(id, { sandbox, config, containers: new Map(), connections: new Set() });
		return sandbox;
	}

	async stopSandbox(id: string): Promise<void> {
		this.#check();
		const entry = this.#sandboxes.get(id);
		if (!entry) return;
		entry.sandbox = { ...entry.sandbox, state: 'stopped' };
		for (const container of entry.containers.values()) this.#kill(container);
		for (const close of entry.connections) close();
	}

	async removeSandbox(id: string): Promise<void> {
		await this.stopSandbox(id);
		for (const container of this.#sandboxes.get(id)?.containers.values() ?? []) this.#forget(container);
		this.#sandboxes.delete(id);
	}

	async listSandboxes(): Promise<readonly Sandbox[]> {
		this.#check();
		return Array.from(this.#sandboxes.values(), ({ sandbox }) => sandbox);
	}

	async pullImage(image: string): Promise<PulledImage> {
		this.#check();
		const error = this.#options.imageError?.(image);
		if (error) throw error;
		return { imageRef: `fake://${image}`, sizeBytes: 0 };
	}

	async imageStatus(image: string): Promise<{ readonly imageRef: string } | undefined> {
		this.#check();
		const error = this.#options.imageError?.(image);
		if (error?.reason === 'InvalidImageName') throw error;
		return error ? undefined : { imageRef: `fake://${image}` };
	}

	async createContainer(sandboxId: string, config: ContainerConfig): Promise<RuntimeContainer> {
		this.#check();
		const id = containerIdOf(sandboxId, config);
		const existing = this.#containers.get(id);
		if (existing) return existing.status;
		const entry = this.#sandboxes.get(sandboxId);
		if (entry?.sandbox.state !== 'ready') {
			throw new ContainerStartError('CreateContainerError', `sandbox ${sandboxId} is not ready`);
		}
		const { name, attempt, image, logPath } = config;
		const { podUid } = entry.sandbox.config;
		const createdAt = this.#options.clock.now();
		const names = { id, sandboxId, podUid, name, attempt, image, imageRef: `fake://${image}` };
		const status: RuntimeContainer = { ...names, createdAt, logPath, state: 'created' };
		const program = this.#options.program?.(config, entry.config) ?? programByCommand(config);
		const { resources } = config;
		const attachments = openAttachments(config, program, {
			wrote: (bytes) => this.#log(container, 'stdout', bytes),
			inputEnded: () => this.#finish(container),
		});
		const container: Container = { status, config, resources, program, execKills: new Set(), attachments };
		entry.containers.set(id, container);
		this.#containers.set(id, container);
		return status;
	}

	async startContainer(id: string): Promise<RuntimeContainer> {
		this.#check();
		const container = this.#containers.get(id);
		if (!container) throw new ContainerStartError('RunContainerError', `there is no container ${id}`);
		const { status, program } = container;
		if (status.state !== 'created') return status;
		if (program.startError !== undefined) {
			this.#exit(container, { exitCode: 128, reason: 'StartError', message: program.startError });
			throw new ContainerStartError('RunContainerError', program.startError);
		}
		const { clock, random } = this.#options;
		const running: RuntimeContainer = { ...status, state: 'running', startedAt: clock.now() };
		container.status = running;
		this.#notify(running);
		const runMs = (program.runMs ?? 0) + (program.jitterMs ?? 0) * random.next();
		if (Number.isFinite(runMs)) container.end = clock.setTimer(runMs, () => this.#finish(container));
		return running;
	}

	async stopContainer(id: string, graceSeconds: number): Promise<void> {
		this.#check();
		const container = this.#containers.get(id);
		if (container?.status.state !== 'running') return;
		if (graceSeconds <= 0) this.#kill(container);
		else if (!container.program.ignoresTerm) this.#endBySignal(container, SIGTERM);
		else this.#killLater(container, graceSeconds * 1000);
	}

	async removeContainer(id: string): Promise<void> {
		this.#check();
		const container = this.#containers.get(id);
		if (!container) return;
		this.#kill(container);
		this.#forget(container);
	}

	async listContainers(): Promise<readonly RuntimeContainer[]> {
		this.#check();
		return Array.from(this.#containers.values(), ({ status }) => status);
	}

	async updateContainerResources(id: string, resources: ContainerResources): Promise<void> {
		this.#check();
		if (!this.traits.canResize) throw new ContainerResizeError('this runtime cannot resize containers');
		const container = this.#containers.get(id);
		if (container?.status.state !== 'running') return;
		const error = this.#options.resizeError?.(resources, container.config);
		if (error !== undefined) throw new ContainerResizeError(error);
		container.resources = resources;
	}

	/** The resources that a container has now; undefined if it does not exist. */
	resourcesOf(id: string): ContainerResources | undefined {
		return this.#containers.get(id)?.resources;
	}

	async usage(): Promise<readonly ContainerUsage[]> {
		this.#check();
		const at = this.#options.clock.now();
		return [...this.#containers.values()]
			.filter(({ status }) => status.state === 'running')
			.map(({ status, config }) => ({ ...idleUsage(status, at), ...this.#options.usage?.(config) }));
	}

	async exec(id: string, config: ExecConfig): Promise<ExecSession> {
		this.#check();
		const container = this.#containers.get(id);
		if (container?.status.state !== 'running')
			throw new ExecError('ContainerNotRunning', `container ${id} is not running`);
		const program = this.#options.exec?.(config, container.config) ?? execByCommand(config);
		const { session, kill } = startFakeExec(program, config, this.#options.clock);
		container.execKills.add(kill);
		void session.exitCode.then(() => container.execKills.delete(kill));
		return session;
	}

	async attach(id: string, config: AttachConfig): Promise<Duplex> {
		this.#check();
		const container = this.#containers.get(id);
		if (container?.status.state !== 'running')
			throw new ExecError('ContainerNotRunning', `container ${id} is not running`);
		return container.attachments.attach(config);
	}

	async portForward(sandboxId: string, port: number): Promise<Duplex> {
		this.#check();
		const entry = this.#sandboxes.get(sandboxId);
		if (entry?.sandbox.state !== 'ready') throw new PortForwardError(`sandbox ${sandboxId} is not ready`);
		const isMapped = entry.config.ports.some(({ containerPort }) => containerPort === port);
		const open = this.#options.port?.(port, entry.config) ?? (isMapped ? echoPort : undefined);
		if (!open) throw new PortForwardError(`dial tcp4 127.0.0.1:${port}: connect: connection refused`);
		const { caller, close } = openFakePort(open);
		entry.connections.add(close);
		void caller.closed.then(() => entry.connections.delete(close));
		return caller;
	}

	#check(): void {
		if (this.#isDown) throw new RuntimeUnavailable('the runtime has crashed');
	}

	#killLater(container: Container, graceMs: number): void {
		const { clock } = this.#options;
		const due = clock.monotonic() + graceMs;
		if (container.kill && container.kill.due <= due) return;
		container.kill?.timer.cancel();
		container.kill = { due, timer: clock.setTimer(graceMs, () => this.#kill(container)) };
	}

	#kill(container: Container): void {
		if (container.status.state === 'running') this.#endBySignal(container, SIGKILL);
	}

	#endBySignal(container: Container, signal: number): void {
		this.#exit(container, { exitCode: 128 + signal, reason: 'Error', signal });
	}

	#finish(container: Container): void {
		const { exitCode = 0, reason = exitCode === 0 ? 'Completed' : 'Error' } = container.program;
		this.#write(container);
		this.#exit(container, { exitCode, reason });
	}

	#write(container: Container): void {
		const { config, program } = container;
		const { terminationMessage: message = '' } = program;
		if (message && config.terminationMessageFile)
			this.#options.appendLog?.(config.terminationMessageFile, Buffer.from(message));
		for (const stream of ['stdout', 'stderr'] as const) {
			const text = container.program[stream];
			if (!text) continue;
			const bytes = Buffer.from(text);
			void container.attachments.write(stream, bytes);
			this.#log(container, stream, bytes);
		}
	}

	#log({ config }: Container, stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
		const { appendLog } = this.#options;
		if (!appendLog) return;
		const lines = new CriLogWriter(stream);
		appendLog(config.logPath, lines.push(bytes, this.#logTime.stamp()).bytes);
		const rest = lines.end(() => this.#logTime.stamp());
		if (rest) appendLog(config.logPath, rest.bytes);
	}

	#exit(
		container: Container,
		end: { exitCode: number; reason: string; signal?: number; message?: string },
	): void {
		disarm(container);
		const finishedAt = this.#options.clock.now();
		container.status = { ...container.status, state: 'exited', finishedAt, ...end };
		this.#notify(container.status);
	}

	#notify(status: RuntimeContainer): void {
		for (const listener of this.#listeners) listener({ status });
	}

	#forget(container: Container): void {
		const { id, sandboxId } = container.status;
		this.#containers.delete(id);
		this.#sandboxes.get(sandboxId)?.containers.delete(id);
	}
}

function disarm(container: Container): void {
	container.end?.cancel();
	container.kill?.timer.cancel();
	for (const kill of container.execKills) kill();
	container.attachments.close();
	delete container.end;
	delete container.kill;
}
