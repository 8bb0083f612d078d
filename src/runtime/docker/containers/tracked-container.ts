/**
 * One container of the engine: what was reported about it, and its log. Every change comes from an inspection of the
 * container, which events, calls and reconnections cause alike; inspections of one container are made one at a time.
 */
import type { RuntimeContainerState } from '../../../api/contract/runtime-container-state.ts';
import type { Clock } from '../../../base/clock.ts';
import type { LabelledFacts } from '../../container-facts.ts';
import type { RuntimeContainer } from '../../contract.ts';
import { stringAt, valueAt } from '../../json-values.ts';
import { type EngineClient, isUnknown } from '../engine/engine-client.ts';
import { EngineLog, type LogSettings } from '../logs/engine-log.ts';
import type { ContainerNote } from '../sandbox-records.ts';
import { createdAtOf, lostState, startErrorOf, stateOf } from './container-state.ts';

/** What a container needs of its runtime. */
export interface EngineContext {
	readonly client: EngineClient;
	readonly clock: Clock;
	readonly logs: LogSettings;
	/** Notifies the listeners. */
	notify(status: RuntimeContainer): void;
	noteOf(facts: LabelledFacts): ContainerNote;
	note(facts: LabelledFacts, more: ContainerNote): void;
}

/** See the header of this file. */
export class TrackedContainer {
	readonly engineId: string;
	readonly facts: LabelledFacts;
	/** The streams that its configuration gives it. */
	readonly streams: { readonly tty: boolean; readonly stdin: boolean; readonly stdinOnce: boolean };
	/** The signal that asks it to stop. */
	readonly stopSignal: string;
	readonly #context: EngineContext;
	readonly #log: EngineLog;
	#status: RuntimeContainer;
	/** What was reported when it started to run. */
	#ran: RuntimeContainer | undefined;
	/** The last inspection, after which the next one starts. */
	#turn: Promise<unknown> = Promise.resolve();
	#waiting: PromiseWithResolvers<void>[] = [];

	/** A container as `inspected` says, without an event. */
	constructor(facts: LabelledFacts, inspected: unknown, context: EngineContext) {
		this.facts = facts;
		this.#context = context;
		this.engineId = stringAt(inspected, 'Id');
		const has = (name: string): boolean => valueAt(inspected, 'Config', name) === true;
		this.streams = { tty: has('Tty'), stdin: has('OpenStdin'), stdinOnce: facts.stdinOnce };
		this.stopSignal = stringAt(inspected, 'Config', 'StopSignal') || 'SIGTERM';
		const { engineId } = this;
		this.#log = new EngineLog(context.logs, { engineId, tty: this.streams.tty, path: facts.logPath });
		const { id, sandboxId, sandbox, name, attempt, image, imageRef, logPath } = facts;
		this.#status = {
			id,
			sandboxId,
			podUid: sandbox.podUid,
			name,
			attempt,
			image,
			imageRef,
			createdAt: createdAtOf(inspected),
			logPath,
			...stateOf(inspected, context.noteOf(facts).failedStart),
		};
	}

	get status(): RuntimeContainer {
		return this.#status;
	}

	/** Continues the log of a container that an earlier server has started; resolves once that of an ended one is complete. */
	async resume(): Promise<void> {
		const { state } = this.#status;
		if (state === 'running') this.#log.follow();
		if (state !== 'exited' || this.#context.noteOf(this.facts).isLogged) return;
		await this.#completeLog();
	}

	/** Reports what has changed since the last inspection. Rejects with RuntimeUnavailable. */
	refresh(): Promise<void> {
		return this.#inTurn(async () => {
			// Nothing changes any more, and the engine says no more about a start that it has refused.
			if (this.#status.state !== 'exited') await this.#apply(await this.#inspect());
		});
	}

	/** Reports that the container runs, after a start; resolves to its status while it ran. The exit follows, if it ended. */
	started(): Promise<RuntimeContainer> {
		return this.#inTurn(async () => {
			const inspected = await this.#inspect();
			// An event may have caused an inspection before this one.
			if (this.#status.state !== 'created') return this.#ran ?? this.#status;
			const state = inspected === undefined ? undefined : stateOf(inspected);
			if (state?.state === 'running' || (state?.state === 'exited' && state.startedAt !== undefined))
				this.#run(state.startedAt ?? this.#context.clock.now());
			const status = this.#status;
			if (state?.state !== 'running') void this.#inTurn(() => this.#apply(inspected)).catch(() => undefined);
			return status;
		});
	}

	/** Reports that the engine has refused to start the container. */
	failStart(message: string): Promise<void> {
		return this.#inTurn(async () => {
			if (this.#status.state !== 'created') return;
			const failedStart = { at: this.#context.clock.now(), message };
			this.#context.note(this.facts, { failedStart, isLogged: true });
			this.#end(startErrorOf(failedStart));
		});
	}

	/** Resolves once the exit was reported; rejects if the engine is lost before. */
	async untilExited(): Promise<void> {
		if (this.#status.state !== 'running') return;
		const waiting = Promise.withResolvers<void>();
		this.#waiting.push(waiting);
		await waiting.promise;
	}

	/** Rejects those who wait for the exit. */
	abandon(error: Error): void {
		for (const { reject } of this.#waiting.splice(0)) reject(error);
	}

	/** Ends the copy of the log; the container is not touched. */
	async close(): Promise<void> {
		await this.#log.stop();
	}

	async #apply(inspected: unknown): Promise<void> {
		const before = this.#status;
		if (before.state === 'exited') return;
		const now = this.#context.clock.now();
		const next = inspected === undefined ? lostState(before, now) : stateOf(inspected);
		if (next.state === 'created') return;
		if (before.state === 'created' && next.startedAt !== undefined) this.#run(next.startedAt);
		if (next.state === 'running') return this.#log.follow();
		if (inspected === undefined) await this.#log.stop();
		else await this.#completeLog();
		this.#end(next);
	}

	#run(startedAt: number): void {
		this.#status = { ...this.#status, state: 'running', startedAt };
		this.#ran = this.#status;
		this.#context.notify(this.#status);
		this.#log.follow();
	}

	#end(state: RuntimeContainerState): void {
		const { id, sandboxId, podUid, name, attempt, image, imageRef, createdAt, logPath } = this.#status;
		this.#status = {
			id,
			sandboxId,
			podUid,
			name,
			attempt,
			image,
			imageRef,
			createdAt,
			logPath,
			...state,
		};
		this.#context.notify(this.#status);
		for (const { resolve } of this.#waiting.splice(0)) resolve();
	}

	async #completeLog(): Promise<void> {
		await this.#log.complete();
		this.#context.note(this.facts, { isLogged: true });
	}

	/** The engine's answer about it; undefined if the engine does not have it. */
	async #inspect(): Promise<unknown> {
		try {
			return await this.#context.client.call('GET', `/containers/${this.engineId}/json`);
		} catch (error) {
			if (isUnknown(error)) return undefined;
			throw error;
		}
	}

	#inTurn<T>(act: () => Promise<T>): Promise<T> {
		const result = this.#turn.then(act);
		this.#turn = result.catch(() => undefined);
		return result;
	}
}
