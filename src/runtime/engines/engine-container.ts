import type { RuntimeContainerState } from '../../api/contract/runtime-container-state.ts';
import type { Clock } from '../../base/clock.ts';
import type { RuntimeContainer } from '../contract.ts';
import type { LabelledFacts } from './container-facts.ts';

/** What a container of an engine needs of its runtime. */
export interface EngineContainerHost {
	readonly clock: Clock;
	/** Notifies the listeners. */
	notify(status: RuntimeContainer): void;
}

/**
 * One container of an engine: what was reported about it. Every change comes from the engine's answer about the container, for
 * which events, calls and polls ask alike; the questions about one container are asked one at a time.
 */
export abstract class EngineContainer {
	readonly facts: LabelledFacts;
	readonly #host: EngineContainerHost;
	#status: RuntimeContainer;
	/** What was reported when it started to run. */
	#ran: RuntimeContainer | undefined;
	/** The last question, after which the next one is asked. */
	#turn: Promise<unknown> = Promise.resolve();
	#waiting: PromiseWithResolvers<void>[] = [];

	/** A container in the state `first`, without an event. */
	constructor(
		facts: LabelledFacts,
		{ createdAt, first }: { readonly createdAt: number; readonly first: RuntimeContainerState },
		host: EngineContainerHost,
	) {
		this.facts = facts;
		this.#host = host;
		this.#status = this.#statusWith(first, createdAt);
	}

	/** Asks the engine for its state; undefined if the engine does not have it. */
	protected abstract ask(): Promise<RuntimeContainerState | undefined>;
	/** The state after the engine has refused to start it. */
	protected abstract refusedState(message: string, now: number): Promise<RuntimeContainerState>;
	/** The state after the engine was found not to have it any more. */
	protected abstract removedState(now: number): RuntimeContainerState;
	/** Called when an answer says that it runs. */
	protected abstract noteRunning(): void;
	/** Completes its log before its end is reported; `isKept` is false if the engine does not have it any more. */
	protected abstract completeLog(isKept: boolean): Promise<void>;

	get status(): RuntimeContainer {
		return this.#status;
	}

	/** Reports what has changed. Rejects with RuntimeUnavailable. */
	refresh(): Promise<void> {
		return this.#inTurn(async () => {
			// Nothing changes any more, and not every engine keeps the reason of a start that it has refused.
			if (this.#status.state !== 'exited') await this.#apply(await this.ask());
		});
	}

	/** Reports that the container runs, after a start; resolves to its status while it ran. The exit follows, if it ended. */
	started(): Promise<RuntimeContainer> {
		return this.#inTurn(async () => {
			const state = await this.ask();
			// An event or a poll may have asked before.
			if (this.#status.state !== 'created') return this.#ran ?? this.#status;
			if (state && state.state !== 'created' && state.startedAt !== undefined) this.#run(state.startedAt);
			const status = this.#status;
			if (state?.state !== 'running') void this.#inTurn(() => this.#apply(state)).catch(() => undefined);
			return status;
		});
	}

	/** Reports that the engine has refused to start the container. */
	failStart(message: string): Promise<void> {
		return this.#inTurn(async () => {
			if (this.#status.state !== 'created') return;
			this.#end(await this.refusedState(message, this.#host.clock.now()));
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

	async #apply(state: RuntimeContainerState | undefined): Promise<void> {
		const before = this.#status;
		if (before.state === 'exited') return;
		const next = state ?? this.removedState(this.#host.clock.now());
		if (next.state === 'created') return;
		if (before.state === 'created' && next.startedAt !== undefined) this.#run(next.startedAt);
		if (next.state === 'running') return this.noteRunning();
		await this.completeLog(state !== undefined);
		this.#end(next);
	}

	#run(startedAt: number): void {
		this.#status = { ...this.#status, state: 'running', startedAt };
		this.#ran = this.#status;
		this.#host.notify(this.#status);
		this.noteRunning();
	}

	#end(state: RuntimeContainerState): void {
		this.#status = this.#statusWith(state, this.#status.createdAt);
		this.#host.notify(this.#status);
		for (const { resolve } of this.#waiting.splice(0)) resolve();
	}

	#statusWith(state: RuntimeContainerState, createdAt: number): RuntimeContainer {
		const { id, sandboxId, sandbox, name, attempt, image, imageRef, logPath } = this.facts;
		const { podUid } = sandbox;
		return { id, sandboxId, podUid, name, attempt, image, imageRef, createdAt, logPath, ...state };
	}

	#inTurn<T>(act: () => Promise<T>): Promise<T> {
		const result = this.#turn.then(act);
		this.#turn = result.catch(() => undefined);
		return result;
	}
}
