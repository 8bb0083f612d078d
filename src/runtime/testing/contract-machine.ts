/** What the contract's tests run against: the harness of an implementation, and a machine with a runtime of it. */

import type { ContainerConfig } from '../../api/contract/container-config.ts';
import {
	type ContainerEvent,
	type Runtime,
	type RuntimeContainer,
	RuntimeUnavailable,
	type Sandbox,
} from '../contract.ts';
import type { LINE_LIMIT_BYTES } from '../cri-log-writer.ts';
import { containerConfig, sandboxConfig } from './configs.ts';
import type { HarnessCommands } from './exec-contract-suite.ts';
import type { HarnessAttachable, HarnessPorts } from './stream-contract-suite.ts';

/** A machine with a runtime, and the means to control its time and its failures. */
export interface RuntimeHarness {
	/** Returns a runtime for the machine, not yet started, as a server does when it starts. */
	connect(): Runtime;
	/** Kills the runtime itself, as `kill -9` would, and restarts it. */
	crash(runtime: Runtime): Promise<void>;
	/** Whether containers continue when the runtime is killed. */
	readonly outlivesCrash: boolean;
	/** True if the runtime reports no signal for a container that one has ended, but only its exit code. */
	readonly tellsNoSignals?: true;
	/** Advances a virtual clock; yields to the event loop if the clock is real. */
	passTime(lengthMs: number): Promise<void>;
	/** The path for a new log, or for another file of the caller. */
	logPath(name: string): string;
	/** The current content of a log; empty if there is no file. */
	readLog(path: string): Promise<string>;
	readonly programs: HarnessPrograms;
	/** Commands to run in a container; undefined if the runtime cannot do that. */
	readonly commands?: HarnessCommands;
	/** Programs to attach to; undefined if the runtime cannot do that. */
	readonly attachable?: HarnessAttachable;
	/** Makes a port on which a program returns what it receives until the end of that, and one that is closed. */
	ports(): Promise<HarnessPorts>;
	readonly images: { readonly known: string; readonly unknown: string; readonly malformed: string };
	/** Kills all containers and removes the machine. */
	close(): Promise<void>;
}

/** The commands of programs whose names describe their behaviour. */
export interface HarnessPrograms {
	readonly succeeds: readonly string[];
	readonly failsWith3: readonly string[];
	/** Runs until SIGTERM, or until SIGKILL where programs are process 1, which only gets the signals that it handles. */
	readonly runsForEver: readonly string[];
	/** Prints `ready`, and exits with 143 at SIGTERM; undefined if `runsForEver` ends at it. */
	readonly endsAtTerm?: readonly string[];
	/** Runs until SIGKILL; prints `ready` once it ignores SIGTERM. */
	readonly ignoresTerm: readonly string[];
	/** Prints `out` and a line end to standard output, `err` and a line end to standard error. */
	readonly talks: readonly string[];
	/** Prints four times {@link LINE_LIMIT_BYTES} to standard output, without a line end. */
	readonly writesLongLine: readonly string[];
	/** Exits and leaves a child that keeps writing. */
	readonly leavesChild: readonly string[];
	readonly isMissing: readonly string[];
	/** Writes `why` to the termination message path; undefined if the runtime mounts no file there. */
	readonly writesMessage?: readonly string[];
}

/** A harness with a connected runtime, the events received from it, and ways to wait for them. */
export class ContractMachine {
	readonly harness: RuntimeHarness;
	runtime: Runtime;
	events: ContainerEvent[] = [];
	#waiting: (() => void) | undefined;

	constructor(harness: RuntimeHarness) {
		this.harness = harness;
		this.runtime = harness.connect();
	}

	get programs(): HarnessPrograms {
		return this.harness.programs;
	}

	async start(): Promise<void> {
		this.runtime.subscribe((event) => {
			this.events.push(event);
			this.#waiting?.();
		});
		await this.runtime.start();
	}

	async close(): Promise<void> {
		await this.harness.close();
	}

	async reconnect(): Promise<Runtime> {
		await this.runtime.stop();
		this.runtime = this.harness.connect();
		this.events = [];
		await this.start();
		return this.runtime;
	}

	sandbox(pod: string): Promise<Sandbox> {
		return this.runtime.runSandbox(sandboxConfig(pod));
	}

	config(command: readonly string[], more: Started = {}): ContainerConfig {
		const { pod = 'a', attempt = 0, fields } = more;
		const logPath = this.harness.logPath(`${pod}-${attempt}`);
		return containerConfig({ attempt, image: this.harness.images.known, command, logPath, ...fields });
	}

	/** Starts a container in the sandbox of `pod`. */
	async start1(command: readonly string[], more: Started = {}): Promise<RuntimeContainer> {
		const sandbox = await this.sandbox(more.pod ?? 'a');
		const { id } = await this.runtime.createContainer(sandbox.id, this.config(command, more));
		return await this.runtime.startContainer(id);
	}

	/** Runs a container to its end. */
	async run(command: readonly string[], more: Started = {}): Promise<RuntimeContainer> {
		const { id } = await this.start1(command, more);
		return await this.exitOf(id);
	}

	/** Resolves to the exit of a container, which may have been reported already. */
	async exitOf(id: string): Promise<RuntimeContainer> {
		for (;;) {
			const exit = this.events.find(({ status }) => status.id === id && status.state === 'exited');
			if (exit) return exit.status;
			const next = new Promise<void>((resolve) => {
				const before = this.#waiting;
				this.#waiting = () => {
					before?.();
					resolve();
				};
			});
			await this.harness.passTime(10);
			if (!this.events.some(({ status }) => status.id === id && status.state === 'exited')) await next;
		}
	}

	/** Waits until a log holds `text`. */
	async logged(path: string, text: string): Promise<void> {
		while (!(await this.harness.readLog(path)).includes(text)) await this.harness.passTime(10);
	}

	/** What `call` resolves to once the runtime can be reached. */
	async eventually<T>(call: () => Promise<T>): Promise<T> {
		for (;;) {
			try {
				return await call();
			} catch (error) {
				if (!(error instanceof RuntimeUnavailable)) throw error;
				await this.harness.passTime(10);
			}
		}
	}
}

/** Which container to start; by default the first attempt in the Pod `a`. */
interface Started {
	readonly pod?: string;
	readonly attempt?: number;
	readonly fields?: Partial<ContainerConfig>;
}

/** The containers by their ids. */
export function byId(list: readonly RuntimeContainer[]): ReadonlyMap<string, RuntimeContainer> {
	return new Map(list.map((status) => [status.id, status]));
}

/** The exit code of a container; undefined if it has not exited. */
export function exitCodeOf(status: RuntimeContainer): number | undefined {
	return status.state === 'exited' ? status.exitCode : undefined;
}
