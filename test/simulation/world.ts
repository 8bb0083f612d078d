import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { CronJob } from '../../src/api/batch/cronjob/schema.ts';
import type { Node } from '../../src/api/core/node/schema.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import type { KubeObject } from '../../src/api/meta/object-meta.ts';
import type { ApiRequest, ApiResponse, ApiTransport } from '../../src/api/meta/transport.ts';
import { resources } from '../../src/api/resources.ts';
import { bootstrap } from '../../src/apiserver/bootstrap.ts';
import { ApiServer } from '../../src/apiserver/server.ts';
import { Metrics } from '../../src/base/metrics.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { VirtualClock } from '../../src/base/virtual-clock.ts';
import { Client } from '../../src/client/client.ts';
import type { Store } from '../../src/store/store.ts';
import { ControlPlaneHost } from './control-plane-host.ts';
import { Dice } from './dice.ts';
import { drawFaultRates, Faults } from './faults.ts';
import { History } from './history.ts';
import { NodeHost } from './node-host.ts';
import type { Observed } from './observed.ts';
import { Oracles } from './oracles.ts';
import { hashOf } from './program.ts';
import { type Remainder, whatIsUnready, whatIsUnsettled, whatRemains, whoStays } from './quiet.ts';
import { ServerHost } from './server-host.ts';
import type { Surroundings } from './surroundings.ts';
import { Trace } from './trace.ts';
import { Users } from './users.ts';
import { Violation, Violations } from './violations.ts';

/** What a world is made from. */
export interface WorldOptions {
	readonly seed: number;
	/** A folder for the logs of containers; nobody reads them. */
	readonly logFolder: string;
	/** How many lines of the trace are kept. */
	readonly traceLines: number;
	/** Where the API server keeps its objects; with SQLite its transactions fail at times. */
	readonly storage?: 'memory' | 'sqlite';
}

/** How long things go wrong. */
const FAULT_PHASE_MS = 300_000;
/** How long schedules have to be kept after that. */
const SCHEDULE_MINUTES = 2;
/** How long it may take after that until a machine that is lost for ever has lost its Pods: they wait for 350 s. */
const EVICTION_PHASE_MS = 240_000;
/** How long it may take after that until all has ended: backoffs reach minutes, garbage a quarter of an hour. */
const END_PHASE_MS = 3 * 3_600_000;
/** More requests or timers than this in one instant, and somebody is running in circles. */
const MOST_IN_AN_INSTANT = 5000;

/**
 * One simulated cluster: the real API server over a store in memory, the real control plane and two real
 * node agents over fake runtimes, all in virtual time. First users act and things go wrong, for five
 * minutes; then nothing goes wrong any more, schedules are kept, and once users have put those to rest
 * everything must come to its end. The same seed gives the same run.
 */
export class World {
	readonly trace: Trace;
	readonly #clock = new VirtualClock();
	readonly #seed: number;
	readonly #violations = new Violations();
	readonly #faults: Faults;
	readonly #faultDice: Dice;
	readonly #history: History;
	readonly #oracles: Oracles;
	readonly #users: Users;
	readonly #controlPlane: ControlPlaneHost;
	readonly #nodes: readonly NodeHost[];
	readonly #server: ServerHost;
	/** How often a deletion was asked for, by path. */
	readonly #deletions = new Map<string, number>();
	/** With SQLite a commit, and each look of a watch at the history, takes a turn of the event loop. */
	readonly #turnsToRest: number;
	#isFaultFree = false;
	#disturbances = 0;
	#asked = { at: 0, count: 0 };

	constructor({ seed, logFolder, traceLines, storage = 'memory' }: WorldOptions) {
		this.#seed = seed;
		this.#turnsToRest = storage === 'sqlite' ? 5 : 1;
		this.trace = new Trace(this.#clock, traceLines);
		this.#faultDice = this.#dice('faults');
		this.#faults = new Faults(this.#dice('weather'), drawFaultRates(this.#faultDice));
		const violations = this.#violations;
		this.#history = new History({
			resources,
			violations,
			listener: (object, old) => this.#oracles.changed(object, old),
		});
		this.#oracles = this.#makeOracles();
		const client = (): Client => new Client(this.#usersTransport());
		this.#users = new Users({ dice: this.#dice('users'), trace: this.trace, history: this.#history, client });
		const surroundings = this.#surroundings();
		this.#controlPlane = new ControlPlaneHost(surroundings);
		this.#nodes = ['north', 'south'].map(
			(name) => new NodeHost({ name, surroundings, podOracle: this.#oracles.pods, logFolder }),
		);
		this.#server = this.#makeServerHost(storage, logFolder);
	}

	/** Runs the whole story. Rejects with a {@link Violation}. */
	async run(): Promise<void> {
		await this.#server.start();
		this.#controlPlane.start();
		for (const node of this.#nodes) node.start();
		this.#schedule();
		const start = this.#clock.now();
		await this.#goOnUntil(start + FAULT_PHASE_MS);
		this.#stopFaults();
		await this.#keepSchedules();
		this.#demand(whatIsUnready(this.#history, this.#machinesUp()));
		await this.#giveUpMachines();
		const deadline = this.#clock.now() + END_PHASE_MS;
		do {
			void this.#users.bringToEnd();
			await this.#goOnUntil(this.#clock.now() + 60_000);
		} while (this.#remains().length > 0 && this.#clock.now() < deadline);
		this.#demand(this.#remains());
	}

	/** Lets go of everything. */
	async close(): Promise<void> {
		this.#isFaultFree = true;
		this.#controlPlane.kill();
		for (const node of this.#nodes) node.kill();
		await this.#server.close();
	}

	#dice(purpose: string): Dice {
		return new Dice(new SeededRandom(hashOf(`${this.#seed}/${purpose}`)));
	}

	#makeServerHost(storage: 'memory' | 'sqlite', logFolder: string): ServerHost {
		return new ServerHost({
			storage,
			folder: mkdtempSync(join(logFolder, 'store-')),
			dice: this.#dice('server'),
			trace: this.trace,
			faultProbability: storage === 'sqlite' ? this.#faultDice.of(0, 0.001, 0.01) : 0,
			makeServer: (store) => this.#makeServer(store),
			started: async (server) => {
				await this.#history.follow(server);
				await bootstrap(server);
			},
		});
	}

	#makeServer(store: Store): ApiServer {
		return new ApiServer({
			store,
			resources,
			clock: this.#clock,
			random: this.#dice(`server/${store.revision}`),
			metrics: new Metrics(),
			version: 'simulated',
			onError: (where, error) =>
				this.#violations.check(
					false,
					15,
					`the API server fails at ${where}: ${error instanceof Error ? error.stack : error}`,
				),
		});
	}

	#usersTransport(): ApiTransport {
		const server = this.#server.patientTransport;
		return {
			request: (request) => {
				this.#countDeletion(request);
				return server.request(request);
			},
			watch: (request, sink) => server.watch(request, sink),
			stream: (request) => server.stream(request),
		};
	}

	#countDeletion({ method, path }: ApiRequest): void {
		if (method === 'DELETE') this.#deletions.set(path, (this.#deletions.get(path) ?? 0) + 1);
	}

	#surroundings(): Surroundings {
		const dice = this.#dice('deaths');
		const killShare = this.#faultDice.of(0, 0.5, 0.9);
		return {
			...{
				clock: this.#clock,
				trace: this.trace,
				violations: this.#violations,
				faults: this.#faults,
				dice,
			},
			isKillScheduled: () => !this.#isFaultFree && dice.chance(killShare),
			server: () => this.#server.transport,
			disturb: (path) => this.#disturb(path),
			answered: (request, response) => this.#answered(request, response),
			asked: (request) => this.#countRequest(request),
		};
	}

	/** Plans what users do and what goes wrong with whole processes and machines. */
	#schedule(): void {
		const dice = this.#faultDice;
		const plan = (count: number, act: () => void): void => {
			for (let i = 0; i < count; i++)
				this.#clock.setTimer(Math.floor(dice.next() * FAULT_PHASE_MS * 0.9), act);
		};
		const someNode = (): NodeHost =>
			this.#nodes[dice.between(0, this.#nodes.length - 1)] ?? this.#controlNode();
		plan(dice.between(4, 35), () => void this.#users.act());
		plan(dice.of(0, 0, 1, 2), () => void this.#restartServer(dice.between(1, 30_000)));
		plan(dice.of(0, 0, 1, 2), () => this.#controlPlane.kill());
		plan(dice.of(0, 0, 1), () => this.#controlPlane.stop());
		plan(dice.of(0, 0, 1), () => this.#controlPlane.cutOff(dice.between(1, 120_000)));
		plan(dice.of(0, 1, 2, 3), () => this.#controlPlane.lag(dice.between(1, 120_000)));
		plan(dice.of(0, 0, 1, 2), () => someNode().kill());
		plan(dice.of(0, 0, 1), () => someNode().stop());
		plan(dice.of(0, 0, 1, 2), () => someNode().cutOff(dice.between(1, 240_000)));
		plan(dice.of(0, 0, 0, 1), () => someNode().crashRuntime(dice.between(1, 20_000)));
		plan(dice.of(0, 0, 0, 1), () => someNode().lose(dice.between(1000, 200_000)));
		// The other one remains.
		plan(dice.of(0, 0, 0, 0, 0, 1), () => this.#loseForEver(someNode()));
	}

	/** The API server dies, and is started again after so long. */
	async #restartServer(afterMs: number): Promise<void> {
		await this.#server.kill();
		this.#clock.setTimer(afterMs, () => void this.#server.start());
	}

	/** Somebody may hear of it and tell the cluster, before anybody there has noticed. */
	#loseForEver(node: NodeHost): void {
		node.loseForEver();
		if (this.#faultDice.chance(0.5)) return;
		this.#clock.setTimer(this.#faultDice.between(1, 100_000), () => void this.#users.giveUpNode(node.name));
	}

	#controlNode(): NodeHost {
		const [first] = this.#nodes;
		if (!first) throw new Error('there is no node');
		return first;
	}

	/** From now on nothing goes wrong, and what is down is up again. */
	#stopFaults(): void {
		this.trace.note('world', 'nothing goes wrong from now on');
		this.#isFaultFree = true;
		this.#faults.stop();
		this.#server.stopFaults();
		void this.#server.start();
		// The running processes may have a scheduled kill each; the ones started now have none.
		this.#controlPlane.kill();
		this.#controlPlane.start();
		for (const node of this.#nodes) {
			node.restore();
			node.kill();
			node.start();
		}
	}

	/** Users change some schedules; from then on each minute has what it should have. */
	async #keepSchedules(): Promise<void> {
		await this.#goOnUntil(this.#clock.now() + 10_000);
		void this.#users.changeWithoutFaults();
		const unchangedSince = this.#clock.now();
		for (let minute = 0; minute < SCHEDULE_MINUTES; minute++) {
			await this.#goOnUntil(unchangedSince + (minute + 1.5) * 60_000);
			for (const oracle of this.#oracles.cronJobs) oracle.checkPunctual(unchangedSince);
			this.#demand(whatIsUnsettled(this.#history, this.#clock.now()));
		}
	}

	/** Resolves once all that was set in motion is over: microtasks alone, or commits of the database too. */
	async #rest(): Promise<void> {
		let quietTurns = 0;
		do {
			await new Promise(setImmediate);
			quietTurns = this.#server.pendingWrites > 0 ? 0 : quietTurns + 1;
		} while (quietTurns < this.#turnsToRest);
	}

	/** Moves from timer to timer; after each, everything that follows from it happens, and all is checked. */
	async #goOnUntil(instant: number): Promise<void> {
		let turns = 0;
		for (;;) {
			await this.#rest();
			this.#violations.raise();
			const due = this.#clock.nextDue();
			if (due === undefined || due > instant) break;
			turns = due > this.#clock.now() ? 0 : turns + 1;
			if (turns > MOST_IN_AN_INSTANT) throw new Violation(14, `${turns} timers go off in one instant`);
			this.#clock.advanceTo(due);
		}
		this.#clock.advanceTo(instant);
	}

	/** Machines that are lost for ever lose their Pods by themselves; what these still hold up, users end. */
	async #giveUpMachines(): Promise<void> {
		const lost = this.#nodes.filter(({ isLostForEver }) => isLostForEver);
		if (lost.length === 0) return;
		const until = this.#clock.now() + EVICTION_PHASE_MS;
		while (this.#clock.now() < until) {
			void this.#users.bringToEnd();
			await this.#goOnUntil(this.#clock.now() + 60_000);
		}
		for (const { name } of lost) {
			this.#demand(whoStays(this.#history, name));
			void this.#users.giveUpNode(name);
		}
	}

	#machinesUp(): readonly string[] {
		return this.#nodes.filter(({ isLostForEver }) => !isLostForEver).map(({ name }) => name);
	}

	#remains(): readonly Remainder[] {
		const unready = whatIsUnready(this.#history, this.#machinesUp());
		return [...whatRemains(this.#history, this.#oracles), ...unready];
	}

	#demand(remains: readonly Remainder[]): void {
		const [first] = remains;
		if (first) throw new Violation(first.invariant, remains.map(({ text }) => text).join('; '));
	}

	#makeOracles(): Oracles {
		const violations = this.#violations;
		const observed = (): Observed => this.#controlPlane.observed;
		const now = (): number => this.#clock.now();
		const since = (): number => now() - this.#faults.longestPassMs;
		const isBefore = (at: number | undefined): boolean => at !== undefined && at <= since();
		return new Oracles({
			pods: { violations, pod: (uid) => this.#history.get('pods', uid) as unknown as Pod | undefined },
			jobs: {
				violations,
				knowledge: {
					now,
					versions: (uid) => observed().jobSince(uid, since()),
					knewOfEnd: (uid, surely) => {
						const at = observed().sawEndOf(uid);
						return isBefore(at) && !(surely && at === now());
					},
				},
			},
			cronJobs: {
				violations,
				knowledge: {
					...{ now, since },
					versions: (uid) => observed().cronJobSince(uid, since()),
					knewOf: (uid) => isBefore(observed().knewJob(uid)),
					deletedByUsers: (uid) => this.#users.haveDeletedJob(uid),
				},
			},
			deletions: {
				violations,
				knowledge: {
					now,
					cronJob: (uid) => this.#history.get('cronjobs', uid) as unknown as CronJob | undefined,
					versions: (uid) => observed().cronJobSince(uid, since()),
					jobVersions: (uid) => observed().jobSince(uid, since()),
					deletedByUsers: (uid) => this.#users.haveDeletedJob(uid),
					dependents: (uid) => this.#history.dependents(uid),
					wasDeletedAgain: (resource, name) =>
						(this.#deletions.get(`/apis/batch/v1/namespaces/default/${resource}/${name}`) ?? 0) > 1,
					knewOwned: (uid, ownerUid) => {
						const at = observed().sawOwned(uid, ownerUid);
						return isBefore(at) && at !== now();
					},
				},
			},
			placements: {
				violations,
				pods: () => this.#history.all('pods') as unknown as readonly Pod[],
				node: (name) => {
					const nodes = this.#history.all('nodes') as unknown as readonly Node[];
					return nodes.find(({ metadata }) => metadata.name === name);
				},
			},
			nodes: {
				violations,
				knowledge: {
					...{ now, since },
					versions: (name) => observed().nodeSince(name, since()),
					heartbeatsOf: (name) => observed().heartbeatsOf(name),
				},
			},
		});
	}

	async #disturb(path: string): Promise<void> {
		this.#disturbances += 1;
		const annotations = { 'example.com/disturbed': String(this.#disturbances) };
		const body = { metadata: { annotations } };
		const contentType = 'application/merge-patch+json';
		await this.#server.transport.request({ method: 'PATCH', path, body, contentType }).catch(() => undefined);
	}

	#answered({ method, path }: ApiRequest, { object }: ApiResponse): void {
		// Whatever is answered has this shape.
		const { kind, metadata } = object as KubeObject;
		const { resourceVersion, uid } = metadata ?? {};
		if (kind === 'Status' || resourceVersion === undefined || uid === undefined) return;
		const holds = this.#history.holds(resourceVersion, uid);
		this.#violations.check(
			holds,
			9,
			`${method} ${path} was answered with ${resourceVersion}, which is not in the history`,
		);
	}

	#countRequest(request: ApiRequest): void {
		this.#countDeletion(request);
		const now = this.#clock.now();
		this.#asked = now === this.#asked.at ? { at: now, count: this.#asked.count + 1 } : { at: now, count: 1 };
		if (this.#asked.count < MOST_IN_AN_INSTANT) return;
		throw new Violation(14, `${this.#asked.count} requests in one instant`);
	}
}
