import type { Duplex } from '../../../src/api/contract/duplex.ts';
import type {
	ApiRequest,
	ApiResponse,
	ApiTransport,
	ApiWatch,
	ApiWatchSink,
} from '../../../src/api/contract/transport.ts';
import { internalError } from '../../../src/api/errors/api-error.ts';
import type { KubeObject } from '../../../src/api/meta/object-meta.ts';
import { sleep } from '../../../src/base/clock.ts';
import { ServerUnreachableError } from '../../../src/client/transport/server-unreachable.ts';
import type { Observed } from '../oracles/observed.ts';
import type { ProcessLife } from '../oracles/process-life.ts';
import type { Faults } from './faults.ts';
import { FaultyWatch } from './faulty-watch.ts';
import type { ScheduledKill } from './scheduled-kills.ts';

/** What a {@link FaultyTransport} needs. */
export interface FaultyTransportOptions {
	readonly life: ProcessLife;
	readonly faults: Faults;
	readonly observed: Observed;
	readonly scheduledKill?: ScheduledKill;
	/** The transport to the API server process that runs now. */
	server(): ApiTransport;
	/** Another client updates the object at this path. */
	disturb(path: string): Promise<void>;
	/** The server has answered a write with success. */
	answered(request: ApiRequest, response: ApiResponse): void;
	/** The process sends a request. */
	asked(request: ApiRequest): void;
	note(what: string): void;
}

/**
 * The transport of one process to the API server, with injected faults. The order of the steps of a request is
 * the order in which a real one fails: on the way there, at the server, on the way back.
 */
export class FaultyTransport implements ApiTransport {
	readonly #options: FaultyTransportOptions;
	readonly #watches = new Set<FaultyWatch>();
	#isCut = false;

	constructor(options: FaultyTransportOptions) {
		this.#options = options;
	}

	/** Cuts the process off: its requests time out and its watches deliver no events. */
	cutOff(): void {
		this.#isCut = true;
		for (const watch of this.#watches) watch.hold();
	}

	/** Ends {@link cutOff}. All watches break, and the process has to open them again. */
	reconnect(): void {
		this.#isCut = false;
		for (const watch of this.#watches) watch.cut('fault');
	}

	/** Holds back the events of some watches; requests still arrive. */
	lag(isHeld: (path: string) => boolean): void {
		for (const watch of this.#watches) if (isHeld(watch.path)) watch.hold();
	}

	/** Ends {@link lag}: the watches deliver the events that they have held back. */
	catchUp(): void {
		if (!this.#isCut) for (const watch of this.#watches) watch.release();
	}

	async request(request: ApiRequest): Promise<ApiResponse> {
		const { life, faults, scheduledKill } = this.#options;
		if (!life.isAlive) return life.hang();
		this.#options.asked(request);
		const fate = faults.fateOf(request);
		if (fate.thereMs > 0) await sleep(life, fate.thereMs);
		if (this.#isCut) return this.#timeOut();
		const text = `${request.method} ${request.path}`;
		if (fate.refused) {
			this.#options.note(`${text} -> refused by chance`);
			throw internalError('refused by chance');
		}
		if (this.#isKillPoint(request) && scheduledKill?.killsBefore())
			return this.#die(`${text} -> dies before it`);
		if (fate.conflict && this.#isKillPoint(request)) await this.#options.disturb(objectPath(request.path));
		if (fate.heldMs > 0) {
			this.lag(() => true);
			life.setTimer(fate.heldMs, () => this.catchUp());
		}
		const answer = await this.#forward(request);
		if (!life.isAlive) return life.hang();
		if (this.#isKillPoint(request) && scheduledKill?.killsAfter())
			return this.#die(`${text} -> dies after it`);
		if (fate.backMs > 0) await sleep(life, fate.backMs);
		if (fate.answerLost || this.#isCut) {
			this.#options.note(`${text} -> its answer is lost`);
			throw new ServerUnreachableError('simulated', new Error('socket hang up'));
		}
		if ('error' in answer) throw answer.error;
		this.#observe(request, answer.response.object);
		return answer.response;
	}

	async watch(request: ApiRequest, sink: ApiWatchSink): Promise<ApiWatch> {
		const { life, faults, observed, note } = this.#options;
		if (!life.isAlive) return life.hang();
		if (this.#isCut) return this.#timeOut();
		const watch = new FaultyWatch({
			life,
			faults,
			observed,
			sink,
			path: request.path,
			note: (what) => note(`${request.path}: ${what}`),
		});
		this.#watches.add(watch);
		watch.attach(await this.#options.server().watch(request, watch));
		return {
			stop: () => {
				this.#watches.delete(watch);
				watch.stop();
			},
		};
	}

	stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>> {
		return this.#options.server().stream(request);
	}

	duplex(request: ApiRequest): Promise<Duplex> {
		return this.#options.server().duplex(request);
	}

	async #forward(
		request: ApiRequest,
	): Promise<{ readonly response: ApiResponse } | { readonly error: unknown }> {
		const text = `${request.method} ${request.path}`;
		try {
			const response = await this.#options.server().request(request);
			if (request.method === 'GET') return { response };
			this.#options.answered(request, response);
			const { name = '', resourceVersion = 'none' } = (response.object as KubeObject).metadata ?? {};
			if (!isEventOrHeartbeat(request))
				this.#options.note(`${text} -> ${response.code} ${name} at ${resourceVersion}`);
			return { response };
		} catch (error) {
			this.#options.note(`${text} -> ${error}`);
			return { error };
		}
	}

	async #timeOut(): Promise<never> {
		await sleep(this.#options.life, CUT_OFF_TIMEOUT_MS);
		throw new ServerUnreachableError('simulated', new Error('no route to host'));
	}

	#isKillPoint(request: ApiRequest): boolean {
		return request.method !== 'GET' && !isEventOrHeartbeat(request);
	}

	#die(what: string): Promise<never> {
		const { life, note } = this.#options;
		note(what);
		life.die();
		return life.hang();
	}

	#observe({ method, path }: ApiRequest, object: unknown): void {
		const { observed } = this.#options;
		if (typeof object !== 'object' || object === null) return;
		// The casts are safe: the server answers with an object, a list or a Status.
		// Informers list all namespaces. A list of one namespace is a controller's direct read, which does not reach
		// the shared cache.
		const asked = path.includes('/namespaces/') ? 'direct read' : 'list or watch';
		if ('items' in object && Array.isArray(object.items))
			for (const item of object.items) observed.add(item, asked);
		else if (method === 'GET') observed.add(object as KubeObject, 'direct read');
		else if (isAwaited(method, path)) observed.add(object as KubeObject, 'own write');
	}
}

/** Whether the controller that sends this write makes no decision until its cache has the written version. */
function isAwaited(method: string, path: string): boolean {
	return (method === 'POST' && path.endsWith('/jobs')) || /\/cronjobs\/[^/]+\/status$/.test(path);
}

const CUT_OFF_TIMEOUT_MS = 1000;

/**
 * Events and heartbeats are no kill points: no decision depends on an event, and heartbeats are so frequent
 * that a death between two of them is no case of its own.
 */
function isEventOrHeartbeat({ path }: ApiRequest): boolean {
	return path.includes('/events') || path.startsWith('/api/v1/nodes/');
}

function objectPath(path: string): string {
	return path.replace(/\/(status|finalize)$/, '');
}
