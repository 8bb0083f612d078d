import type { TestContext } from 'node:test';
import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job, JobSpec } from '../../src/api/batch/job/schema.ts';
import type { ApiRequest, ApiResponse, ApiTransport } from '../../src/api/contract/transport.ts';
import type { EventText } from '../../src/api/core/event/event-text.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod, PodStatus } from '../../src/api/core/pod/schema.ts';
import { formatTime } from '../../src/api/meta/time.ts';
import { resources } from '../../src/api/resources.ts';
import { bootstrap } from '../../src/apiserver/maintenance/bootstrap.ts';
import { ApiServer } from '../../src/apiserver/server.ts';
import { Metrics } from '../../src/base/metrics.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { Client } from '../../src/client/client.ts';
import { Informers } from '../../src/client/informers.ts';
import { JobController } from '../../src/controllers/job/job-controller.ts';
import { MemoryStore } from '../../src/store/memory/memory-store.ts';

/** Called before each request of the controller. Throws to refuse it, or does something before it is sent. */
export type Interceptor = (request: ApiRequest) => void | Promise<void>;

/** Called before each answer to the controller. Throws to lose it. */
export type AnswerInterceptor = (request: ApiRequest) => void;

/** More turns of the event loop than any request and its effects take. */
const MOST_TURNS = 20_000;

/**
 * A real API server over a store in memory and the real Job controller, in virtual time. The test acts as the
 * node and as the users. `deliver`, `intercept` and `interceptAnswer` let it delay events, refuse requests
 * and lose answers.
 */
export class Cluster {
	readonly clock = new VirtualClock();
	readonly metrics = new Metrics();
	readonly client: Client;
	readonly events: string[] = [];
	readonly errors: unknown[] = [];
	/** Every version of every Job, in the order in which a watch delivers them. */
	readonly history: Job[] = [];
	intercept: Interceptor = () => undefined;
	interceptAnswer: AnswerInterceptor = () => undefined;
	/** Called with each batch of events for the controller. Calls `send` to deliver it, at once or later. */
	deliver: (send: () => void, request: Pick<ApiRequest, 'path'>) => void = (send) => send();
	readonly #server: ApiServer;
	#controller: { readonly stop: AbortController; readonly ended: Promise<unknown> } | undefined;
	readonly #objects = new Map<string, Job | Pod>();
	readonly #waiters = new Set<() => void>();

	private constructor(server: ApiServer, clock: VirtualClock) {
		this.#server = server;
		this.clock = clock;
		this.client = new Client(server);
	}

	static async start(test: TestContext): Promise<Cluster> {
		const clock = new VirtualClock();
		const random = new SeededRandom(1);
		const store = new MemoryStore();
		const onError = (where: string, error: unknown): void => test.diagnostic(`${where}: ${error}`);
		const server = new ApiServer({
			store,
			resources,
			clock,
			metrics: new Metrics(),
			random,
			version: 'test',
			onError,
		});
		await server.start();
		await bootstrap(server);
		const cluster = new Cluster(server, clock);
		await cluster.#watchAll();
		cluster.startController();
		test.after(async () => {
			await cluster.stopController();
			server.close();
		});
		return cluster;
	}

	startController(): void {
		const stop = new AbortController();
		const transport: ApiTransport = {
			request: (request) => this.#request(request),
			watch: (request, { events, ended }) =>
				this.#server.watch(request, { ended, events: (batch) => this.deliver(() => events(batch), request) }),
			stream: (request) => this.#server.stream(request),
			duplex: (request) => this.#server.duplex(request),
		};
		const client = new Client(transport);
		const onError = (_: string, error: unknown): void => {
			this.errors.push(error);
			this.#changed();
		};
		const informers = new Informers({ client, clock: this.clock, random: new SeededRandom(1), onError });
		const recorder = {
			event: (_: unknown, { type, reason, message }: EventText) => this.#record(type, reason, message),
		};
		const controller = new JobController({
			client,
			informers,
			clock: this.clock,
			metrics: this.metrics,
			recorder,
			onError,
		});
		const ended = Promise.all([informers.run(stop.signal), controller.run(stop.signal)]);
		this.#controller = { stop, ended };
	}

	async stopController(): Promise<void> {
		this.#controller?.stop.abort();
		await this.#controller?.ended;
		this.#controller = undefined;
	}

	/**
	 * Resolves once `condition` holds. It is checked after every change of a Job or Pod, after every event and
	 * error, and after every turn of the event loop. Rejects after {@link MOST_TURNS} turns: virtual time
	 * advances only when the test advances it, so no further change can come.
	 */
	async until<T>(condition: () => T | undefined | false): Promise<T> {
		let outcome: { readonly found: T } | { readonly error: unknown } | undefined;
		const check = (): void => {
			if (outcome) return;
			try {
				const found = condition();
				if (found) outcome = { found };
			} catch (error) {
				outcome = { error };
			}
		};
		this.#waiters.add(check);
		for (let turn = 0; turn < MOST_TURNS && !outcome; turn++) {
			check();
			if (!outcome) await new Promise(setImmediate);
		}
		this.#waiters.delete(check);
		if (!outcome) throw new Error(`the condition does not become true: ${condition}`);
		if ('error' in outcome) throw outcome.error;
		return outcome.found;
	}

	/** Waits until all pending effects are done, so that a test can assert that something does not happen. */
	async quiet(): Promise<void> {
		for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
	}

	createJob(spec: Partial<JobSpec> = {}, name = 'pi'): Promise<Job> {
		const template = {
			spec: { restartPolicy: 'Never' as const, containers: [{ name: 'main', image: 'x' }] },
		};
		const metadata = { name, namespace: 'default' };
		const job = { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template, ...spec }, status: {} };
		return this.client.resource(jobs, 'default').create(job);
	}

	job(name = 'pi'): Job {
		const found = this.#objects.get(`jobs/${name}`);
		if (!found || !isJob(found)) throw new Error(`there is no Job ${name}`);
		return found;
	}

	pods(phase?: string): readonly Pod[] {
		const all = [...this.#objects.values()].filter((object): object is Pod => !isJob(object));
		return phase === undefined ? all : all.filter(({ status }) => status.phase === phase);
	}

	patchJob(patch: unknown, name = 'pi'): Promise<Job> {
		return this.client.resource(jobs, 'default').patch(name, 'merge', patch);
	}

	/** Writes a status of the Pod, as a node agent does. */
	report(pod: Pod, status: PodStatus): Promise<Pod> {
		return this.client
			.resource(pods, 'default')
			.patchStatus(pod.metadata.name ?? '', 'strategic', { status });
	}

	finish(pod: Pod, exitCode = 0): Promise<Pod> {
		const state = { terminated: { exitCode, finishedAt: formatTime(this.clock.now()) } };
		const container = { name: 'main', ready: false, restartCount: 0, image: 'x', imageID: 'x', state };
		return this.report(pod, {
			phase: exitCode === 0 ? 'Succeeded' : 'Failed',
			containerStatuses: [container],
		});
	}

	#record(type: string, reason: string, message: string): void {
		this.events.push(`${type} ${reason} ${message}`);
		this.#changed();
	}

	async #request(request: ApiRequest): Promise<ApiResponse> {
		await this.intercept(request);
		const answer = await this.#server.request(request);
		this.interceptAnswer(request);
		return answer;
	}

	async #watchAll(): Promise<void> {
		const ended = (): void => undefined;
		await this.client.resource(jobs).watch({}, { events: (batch) => this.#apply('jobs', batch), ended });
		await this.client.resource(pods).watch({}, { events: (batch) => this.#apply('pods', batch), ended });
	}

	#apply(kind: string, batch: readonly { readonly type: string; readonly object: Job | Pod }[]): void {
		for (const { type, object } of batch) {
			const key = `${kind}/${object.metadata.name}`;
			if (type === 'BOOKMARK') continue;
			if (type === 'DELETED') this.#objects.delete(key);
			else this.#objects.set(key, object);
			if (isJob(object)) this.history.push(object);
		}
		this.#changed();
	}

	#changed(): void {
		for (const check of [...this.#waiters]) check();
	}
}

function isJob(object: Job | Pod): object is Job {
	return object.kind === 'Job';
}
