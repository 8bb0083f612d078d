import type { RuntimeContainerState } from '../../../api/contract/runtime-container-state.ts';
import { sleep } from '../../../base/clock.ts';
import type { LabelledFacts } from '../../engines/container-facts.ts';
import { EngineContainer, type EngineContainerHost } from '../../engines/engine-container.ts';
import { stringAt, valueAt } from '../../json-values.ts';
import { type EngineClient, isUnknown } from '../engine/engine-client.ts';
import { EngineLog, type LogSettings } from '../logs/engine-log.ts';
import type { ContainerNote } from '../sandbox-records.ts';
import { createdAtOf, lostState, mayBeOutOfMemory, startErrorOf, stateOf } from './container-state.ts';

/** What a container needs of its runtime. */
export interface EngineContext extends EngineContainerHost {
	readonly client: EngineClient;
	readonly logs: LogSettings;
	noteOf(facts: LabelledFacts): ContainerNote;
	note(facts: LabelledFacts, more: ContainerNote): void;
}

/**
 * How long after the exit of a container that was killed its engine may report that it had exceeded its memory limit. Docker
 * 20.10 reports it later than the exit in a tenth of all cases, by 10 to 240 ms, and does not add it to the state then.
 */
const LATE_OUT_OF_MEMORY_MS = 300;

/** One container of the engine, with its log. */
export class TrackedContainer extends EngineContainer {
	readonly engineId: string;
	/** The streams that its configuration gives it. */
	readonly streams: { readonly tty: boolean; readonly stdin: boolean; readonly stdinOnce: boolean };
	/** The signal that asks it to stop. */
	readonly stopSignal: string;
	readonly #context: EngineContext;
	readonly #log: EngineLog;
	readonly #outOfMemory = new AbortController();
	#isKilled = false;

	/** A container as `inspected` says, without an event. */
	constructor(facts: LabelledFacts, inspected: unknown, context: EngineContext) {
		const first = stateOf(inspected, context.noteOf(facts).failedStart);
		super(facts, { createdAt: createdAtOf(inspected), first }, context);
		this.#context = context;
		this.engineId = stringAt(inspected, 'Id');
		const has = (name: string): boolean => valueAt(inspected, 'Config', name) === true;
		this.streams = { tty: has('Tty'), stdin: has('OpenStdin'), stdinOnce: facts.stdinOnce };
		this.stopSignal = stringAt(inspected, 'Config', 'StopSignal') || 'SIGTERM';
		const { engineId } = this;
		this.#log = new EngineLog(context.logs, { engineId, tty: this.streams.tty, path: facts.logPath });
	}

	/** Continues the log of a container that an earlier server has started; resolves once that of an ended one is complete. */
	async resume(): Promise<void> {
		const { state } = this.status;
		if (state === 'running') this.#log.follow();
		if (state !== 'exited' || this.#context.noteOf(this.facts).isLogged) return;
		await this.completeLog(true);
	}

	/** Notes the engine's event that the container has exceeded its memory limit. */
	noteOutOfMemory(): void {
		this.#outOfMemory.abort();
	}

	/** Notes that the runtime kills the container: nothing else did, then. */
	noteKilled(): void {
		this.#isKilled = true;
	}

	/** Ends the copy of the log; the container is not touched. */
	async close(): Promise<void> {
		await this.#log.stop();
	}

	protected override async ask(): Promise<RuntimeContainerState | undefined> {
		try {
			const inspected = await this.#context.client.call('GET', `/containers/${this.engineId}/json`);
			const state = stateOf(inspected);
			if (state.state !== 'exited' || this.#isKilled || !mayBeOutOfMemory(inspected)) return state;
			const { signal } = this.#outOfMemory;
			await sleep(this.#context.clock, LATE_OUT_OF_MEMORY_MS, signal);
			return signal.aborted ? { ...state, reason: 'OOMKilled' } : state;
		} catch (error) {
			if (isUnknown(error)) return undefined;
			throw error;
		}
	}

	protected override async refusedState(message: string, now: number): Promise<RuntimeContainerState> {
		const failedStart = { at: now, message };
		this.#context.note(this.facts, { failedStart, isLogged: true });
		return startErrorOf(failedStart);
	}

	protected override removedState(now: number): RuntimeContainerState {
		return lostState(this.status, now);
	}

	protected override noteRunning(): void {
		this.#log.follow();
	}

	protected override async completeLog(isKept: boolean): Promise<void> {
		if (!isKept) return await this.#log.stop();
		await this.#log.complete();
		this.#context.note(this.facts, { isLogged: true });
	}
}
