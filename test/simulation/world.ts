import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { CronJob } from '../../src/api/batch/cronjob/schema.ts';
import type { ApiRequest, ApiResponse, ApiTransport } from '../../src/api/contract/transport.ts';
import type { Node } from '../../src/api/core/node/schema.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import type { KubeObject } from '../../src/api/meta/object-meta.ts';
import { resources } from '../../src/api/resources.ts';
import { bootstrap } from '../../src/apiserver/maintenance/bootstrap.ts';
import { ApiServer } from '../../src/apiserver/server.ts';
import { Metrics } from '../../src/base/metrics.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { Client } from '../../src/client/client.ts';
import type { Store } from '../../src/store/store.ts';
import { pendingSteps } from '../support/encoded-transport.ts';
import { type TransportKind, transportOf } from '../support/transports.ts';
import { Dice } from './dice.ts';
import { drawFaultRates, Faults } from './faults/faults.ts';
import { ControlPlaneHost } from './hosts/control-plane-host.ts';
import { NodeHost } from './hosts/node-host.ts';
import { ServerHost } from './hosts/server-host.ts';
import {
	podsWithoutDeletion,
	type Remainder,
	remainders,
	unreadyNodes,
	unsettledJobs,
} from './oracles/final-state.ts';
import { History } from './oracles/history.ts';
import type { Observed } from './oracles/observed.ts';
import { Oracles } from './oracles/oracles.ts';
import { Violation, Violations } from './oracles/violations.ts';
import type { Surroundings } from './surroundings.ts';
import { Trace } from './trace.ts';
import { hashOf } from './users/program.ts';
import { Users } from './users/users.ts';

/** What a {@link World} needs. */
export interface WorldOptions {
	readonly seed: number;
	/** A folder for the containers' logs and for the database. The caller removes it. */
	readonly logFolder: string;
	/** How many of the last lines of the trace are kept. */
	readonly traceLines: number;
	/** The store of the API server. With SQLite its transactions fail at times. Default memory. */
	readonly storage?: 'memory' | 'sqlite';
	/** The transport of the simulated processes to the server. Default direct. */
	readonly transport?: TransportKind;
}

/** How long faults are injected. */
const FAULT_PHASE_MS = 300_000;
/** For how many minutes after that every CronJob must start each Job on time. */
const SCHEDULE_MINUTES = 2;
/**
 * How long it may take after that until the Pods of a destroyed machine are deleted. The grace period of the
 * node (50 s) and the default tolerationSeconds (300) make 350 s, a part of which has passed by then.
 */
const EVICTION_PHASE_MS = 240_000;
/**
 * How long it may take after that until all Jobs have finished: backoffs reach 10 minutes, garbage collection
 * 15.
 */
const END_PHASE_MS = 3 * 3_600_000;
/**
 * A component that sends more requests, or sets more timers, than this in one instant is in an endless loop.
 */
const MOST_IN_AN_INSTANT = 5000;

/**
 * One simulated cluster: the real API server over a store in memory or in SQLite, the real control plane and
 * two real node agents over fake runtimes, all in one process and in virtual time. A run has four phases:
 *
 * 1. For five minutes users act at random and faults are injected.
 * 2. Without faults, every CronJob must start its Jobs on time, and Jobs must have the Pods that they ask for.
 * 3. The Pods of destroyed machines must be deleted.
 * 4. Users suspend all schedules, and everything must reach its final state.
 *
 * The invariants (violations.ts) are checked at every change. The same seed gives the same run, to the letter
 * of the trace: all randomness comes from {@link Dice}, each purpose with a stream of its own.
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
	/** How many delete requests were sent, by path. */
	readonly #deletions = new Map<string, number>();
	/**
	 * How many idle event loop turns mean that nothing is in progress. With SQLite a commit, and each read of the
	 * history by a watch, takes a turn of its own.
	 */
	readonly #idleTurns: number;
	#isFaultFree = false;
	#disturbances = 0;
	#requestsNow = { at: 0, count: 0 };

	constructor({ seed, logFolder, traceLines, storage = 'memory', transport = 'direct' }: WorldOptions) {
		this.#seed = seed;
		this.#idleTurns = storage === 'sqlite' ? 5 : 1;
		this.trace = new Trace(this.#clock, traceLines);
		this.#faultDice = this.#dice('faults');
		// The purposes of dice are part of the seed: another word gives every seed another run.
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
		this.#server = this.#makeServerHost({ storage, transport, logFolder });
	}

	/** Runs all phases. Rejects with a {@link Violation} if an invariant does not hold. */
	async run(): Promise<void> {
		await this.#server.start();
		this.#controlPlane.start();
		for (const node of this.#nodes) node.start();
		this.#schedule();
		const start = this.#clock.now();
		await this.#advanceUntil(start + FAULT_PHASE_MS);
		this.#stopFaults();
		await this.#checkSchedules();
		this.#require(unreadyNodes(this.#history, this.#machinesUp()));
		await this.#checkLostMachines();
		const deadline = this.#clock.now() + END_PHASE_MS;
		do {
			void this.#users.bringToEnd();
			await this.#advanceUntil(this.#clock.now() + 60_000);
		} while (this.#remainders().length > 0 && this.#clock.now() < deadline);
		this.#require(this.#remainders());
	}

	/** Kills all processes and closes the store. */
	async close(): Promise<void> {
		this.#isFaultFree = true;
		this.#controlPlane.kill();
		for (const node of this.#nodes) node.kill();
		await this.#server.close();
	}

	#dice(purpose: string): Dice {
		return new Dice(new SeededRandom(hashOf(`${this.#seed}/${purpose}`)));
	}

	#makeServerHost(options: Required<Pick<WorldOptions, 'storage' | 'transport' | 'logFolder'>>): ServerHost {
		const { storage, transport, logFolder } = options;
		return new ServerHost({
			storage,
			folder: mkdtempSync(join(logFolder, 'store-')),
			dice: this.#dice('server'),
			trace: this.trace,
			faultProbability: storage === 'sqlite' ? this.#faultDice.of(0, 0.001, 0.01) : 0,
			makeServer: (store) => this.#makeServer(store),
			transportOf: (server) => transportOf(transport, server),
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
			duplex: (request) => server.duplex(request),
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

	/** Schedules the actions of users and the faults of whole processes and machines. */
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
		// At most one of the two machines is destroyed.
		plan(dice.of(0, 0, 0, 0, 0, 1), () => this.#loseForEver(someNode()));
	}

	/** Kills the API server, and starts it again after a delay. */
	async #restartServer(afterMs: number): Promise<void> {
		await this.#server.kill();
		this.#clock.setTimer(afterMs, () => void this.#server.start());
	}

	/**
	 * Destroys a machine. In half of the cases a user removes it, possibly before the cluster has noticed its
	 * loss.
	 */
	#loseForEver(node: NodeHost): void {
		node.loseForEver();
		if (this.#faultDice.chance(0.5)) return;
		this.#clock.setTimer(this.#faultDice.between(1, 100_000), () => void this.#users.removeNode(node.name));
	}

	#controlNode(): NodeHost {
		const [first] = this.#nodes;
		if (!first) throw new Error('the world has no node');
		return first;
	}

	/** From now on no fault occurs; all processes and machines that are down are started. */
	#stopFaults(): void {
		this.trace.note('world', 'no fault occurs from now on');
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

	/** Users change some schedules; after that each minute must have the Jobs that the schedules require. */
	async #checkSchedules(): Promise<void> {
		await this.#advanceUntil(this.#clock.now() + 10_000);
		void this.#users.changeWithoutFaults();
		const unchangedSince = this.#clock.now();
		for (let minute = 0; minute < SCHEDULE_MINUTES; minute++) {
			await this.#advanceUntil(unchangedSince + (minute + 1.5) * 60_000);
			for (const oracle of this.#oracles.cronJobs) oracle.checkPunctual(unchangedSince);
			this.#require(unsettledJobs(this.#history, this.#clock.now()));
		}
	}

	/** Resolves once no microtask, write, step of a transport, watch read or file operation is pending. */
	async #idle(): Promise<void> {
		let idleTurns = 0;
		do {
			await new Promise(setImmediate);
			const isBusy = this.#server.pendingWrites + pendingSteps() > 0 || hasFileOperations();
			idleTurns = isBusy ? 0 : idleTurns + 1;
		} while (idleTurns < this.#idleTurns);
	}

	/**
	 * Advances the clock from timer to timer. After each it waits until all effects are done, and checks the
	 * invariants.
	 */
	async #advanceUntil(instant: number): Promise<void> {
		let turns = 0;
		for (;;) {
			await this.#idle();
			this.#violations.raise();
			const due = this.#clock.nextDue();
			if (due === undefined || due > instant) break;
			turns = due > this.#clock.now() ? 0 : turns + 1;
			if (turns > MOST_IN_AN_INSTANT) throw new Violation(14, `${turns} timers fire in one instant`);
			this.#clock.advanceTo(due);
		}
		this.#clock.advanceTo(instant);
	}

	/** The control plane must delete the Pods of destroyed machines by itself; then users remove the Nodes. */
	async #checkLostMachines(): Promise<void> {
		const lost = this.#nodes.filter(({ isLostForEver }) => isLostForEver);
		if (lost.length === 0) return;
		const until = this.#clock.now() + EVICTION_PHASE_MS;
		while (this.#clock.now() < until) {
			void this.#users.bringToEnd();
			await this.#advanceUntil(this.#clock.now() + 60_000);
		}
		for (const { name } of lost) {
			this.#require(podsWithoutDeletion(this.#history, name));
			void this.#users.removeNode(name);
		}
	}

	#machinesUp(): readonly string[] {
		return this.#nodes.filter(({ isLostForEver }) => !isLostForEver).map(({ name }) => name);
	}

	#remainders(): readonly Remainder[] {
		const unready = unreadyNodes(this.#history, this.#machinesUp());
		return [...remainders(this.#history, this.#oracles), ...unready];
	}

	#require(remains: readonly Remainder[]): void {
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
		// The cast is safe: every answer to a write is an object or a Status.
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
		this.#requestsNow =
			now === this.#requestsNow.at ? { at: now, count: this.#requestsNow.count + 1 } : { at: now, count: 1 };
		if (this.#requestsNow.count < MOST_IN_AN_INSTANT) return;
		throw new Violation(14, `${this.#requestsNow.count} requests in one instant`);
	}
}

/** Whether this process has called the file system and waits for the result: node agents remove logs on a real disk. */
function hasFileOperations(): boolean {
	return process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'));
}
