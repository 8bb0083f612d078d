/**
 * One container of the runtime: what was reported about it. Every change comes from the runtime's status of the container, which
 * calls and the poll ask for alike; the questions about one container are asked one at a time.
 */
import type { RuntimeContainerState } from '../../../api/contract/runtime-container-state.ts';
import type { Clock } from '../../../base/clock.ts';
import type { LabelledFacts } from '../../container-facts.ts';
import type { RuntimeContainer } from '../../contract.ts';
import { type CriClient, isNotFound } from '../client/cri-client.ts';
import { CRI } from '../client/cri-methods.ts';
import { untilLogged } from '../logs/log-end.ts';
import type { CriStreams, KeptContainer } from './container-request.ts';
import { type CriStatus, criStateOf, millisecondsOf, refusedState, removedState } from './cri-state.ts';

/** What a container needs of its runtime. */
export interface CriContext {
	readonly client: CriClient;
	readonly clock: Clock;
	/** Notifies the listeners. */
	notify(status: RuntimeContainer): void;
}

/** See the header of this file. */
export class TrackedCriContainer {
	/** The runtime's id of it. */
	readonly criId: string;
	readonly facts: LabelledFacts;
	readonly streams: CriStreams;
	readonly #context: CriContext;
	#status: RuntimeContainer;
	/** What was reported when it started to run. */
	#ran: RuntimeContainer | undefined;
	#turn: Promise<unknown> = Promise.resolve();
	#waiting: PromiseWithResolvers<void>[] = [];

	/** A container with this status, without an event. */
	constructor({ facts, streams }: KeptContainer, status: CriStatus, context: CriContext) {
		this.criId = status.id;
		this.facts = facts;
		this.streams = streams;
		this.#context = context;
		this.#status = this.#statusWith(criStateOf(status), millisecondsOf(status.createdAt));
	}

	get status(): RuntimeContainer {
		return this.#status;
	}

	/** Reports what has changed. Rejects with RuntimeUnavailable. */
	refresh(): Promise<void> {
		return this.#inTurn(async () => {
			// Nothing changes any more, and not every runtime keeps the reason of a start that it has refused.
			if (this.#status.state !== 'exited') await this.#apply(await this.#ask());
		});
	}

	/** Reports that the container runs, after a start; resolves to its status while it ran. The exit follows, if it ended. */
	started(): Promise<RuntimeContainer> {
		return this.#inTurn(async () => {
			const asked = await this.#ask();
			// A poll may have asked before.
			if (this.#status.state !== 'created') return this.#ran ?? this.#status;
			const state = asked && criStateOf(asked);
			if (state && state.state !== 'created' && state.startedAt !== undefined) this.#run(state.startedAt);
			const status = this.#status;
			if (state?.state !== 'running') void this.#inTurn(() => this.#apply(asked)).catch(() => undefined);
			return status;
		});
	}

	/** Reports that the runtime has refused to start the container. */
	failStart(message: string): Promise<void> {
		return this.#inTurn(async () => {
			if (this.#status.state !== 'created') return;
			const asked = await this.#ask();
			const state = asked && criStateOf(asked);
			const isKept = state?.state === 'exited' && state.reason === 'StartError';
			this.#end(isKept ? state : refusedState(this.#context.clock.now(), message));
		});
	}

	/** Resolves once the exit was reported; rejects if the runtime is lost before. */
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

	async #apply(asked: CriStatus | undefined): Promise<void> {
		const before = this.#status;
		if (before.state === 'exited') return;
		const next = asked ? criStateOf(asked) : removedState(before, this.#context.clock.now());
		if (next.state === 'created') return;
		if (before.state === 'created' && next.startedAt !== undefined) this.#run(next.startedAt);
		if (next.state === 'running') return;
		if (asked) await untilLogged(before.logPath, this.#context.clock);
		this.#end(next);
	}

	#run(startedAt: number): void {
		this.#status = { ...this.#status, state: 'running', startedAt };
		this.#ran = this.#status;
		this.#context.notify(this.#status);
	}

	#end(state: RuntimeContainerState): void {
		this.#status = this.#statusWith(state, this.#status.createdAt);
		this.#context.notify(this.#status);
		for (const { resolve } of this.#waiting.splice(0)) resolve();
	}

	#statusWith(state: RuntimeContainerState, createdAt: number): RuntimeContainer {
		const { id, sandboxId, sandbox, name, attempt, image, imageRef, logPath } = this.facts;
		const { podUid } = sandbox;
		return { id, sandboxId, podUid, name, attempt, image, imageRef, createdAt, logPath, ...state };
	}

	/** The runtime's status of it; undefined if the runtime does not have it. */
	async #ask(): Promise<CriStatus | undefined> {
		return await criStatusOf(this.#context.client, this.criId);
	}

	#inTurn<T>(act: () => Promise<T>): Promise<T> {
		const result = this.#turn.then(act);
		this.#turn = result.catch(() => undefined);
		return result;
	}
}

/** The runtime's status of a container; undefined if it has none with this id. */
export async function criStatusOf(client: CriClient, containerId: string): Promise<CriStatus | undefined> {
	try {
		return (await client.call(CRI.containerStatus, { containerId })).status;
	} catch (error) {
		if (isNotFound(error)) return undefined;
		throw error;
	}
}
