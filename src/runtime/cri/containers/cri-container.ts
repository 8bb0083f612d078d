import type { RuntimeContainerState } from '../../../api/contract/runtime-container-state.ts';
import { EngineContainer, type EngineContainerHost } from '../../engines/engine-container.ts';
import { type CriClient, isNotFound } from '../client/cri-client.ts';
import { CRI } from '../client/cri-methods.ts';
import { untilLogged } from '../logs/log-end.ts';
import type { CriStreams, KeptContainer } from './container-request.ts';
import { type CriStatus, criStateOf, millisecondsOf, refusedState, removedState } from './cri-state.ts';

/** What a container needs of its runtime. */
export interface CriContext extends EngineContainerHost {
	readonly client: CriClient;
}

/** One container of the runtime. */
export class TrackedCriContainer extends EngineContainer {
	/** The runtime's id of it. */
	readonly criId: string;
	readonly streams: CriStreams;
	readonly #context: CriContext;

	/** A container with this status, without an event. */
	constructor({ facts, streams }: KeptContainer, status: CriStatus, context: CriContext) {
		super(facts, { createdAt: millisecondsOf(status.createdAt), first: criStateOf(status) }, context);
		this.criId = status.id;
		this.streams = streams;
		this.#context = context;
	}

	protected override async ask(): Promise<RuntimeContainerState | undefined> {
		const status = await criStatusOf(this.#context.client, this.criId);
		return status && criStateOf(status);
	}

	protected override async refusedState(message: string, now: number): Promise<RuntimeContainerState> {
		const state = await this.ask();
		const isKept = state?.state === 'exited' && state.reason === 'StartError';
		return isKept ? state : refusedState(now, message);
	}

	protected override removedState(now: number): RuntimeContainerState {
		return removedState(this.status, now);
	}

	/** The runtime writes the log. */
	protected override noteRunning(): void {}

	protected override async completeLog(isKept: boolean): Promise<void> {
		if (isKept) await untilLogged(this.facts.logPath, this.#context.clock);
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
