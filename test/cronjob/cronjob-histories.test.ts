import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { CronJob } from '../../src/api/batch/cronjob/schema.ts';
import { isConditionTrue } from '../../src/api/meta/conditions.ts';
import { timeOf } from '../../src/api/meta/time.ts';
import { CronJobWorld } from './world.ts';

/**
 * Property test: generated histories of a CronJob, in which time passes, users act, and the controller
 * reconciles and crashes. {@link CronJobWorld} asserts its invariants at every write. `STINT_PROPERTY_RUNS`
 * is the number of histories (default 300).
 */
const RUNS = Number(process.env.STINT_PROPERTY_RUNS ?? 300);
const START = Date.UTC(2026, 2, 28, 12, 0, 30);

/** One step of a history. */
type Step = (world: CronJobWorld) => void;

const spec: fc.Arbitrary<Partial<CronJob['spec']>> = fc.record(
	{
		concurrencyPolicy: fc.constantFrom('Allow', 'Forbid', 'Replace'),
		suspend: fc.boolean(),
		startingDeadlineSeconds: fc.constantFrom(30, 200, 4000),
		successfulJobsHistoryLimit: fc.nat(2),
		failedJobsHistoryLimit: fc.nat(2),
	},
	{ requiredKeys: [] },
);

const pick = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(list.length, 1)];

const step: fc.Arbitrary<Step> = fc.oneof(
	fc.integer({ min: 1, max: 7200 }).map((seconds) => (world: CronJobWorld) => {
		world.now += seconds * 1000;
	}),
	fc.constant((world: CronJobWorld) => world.reconcile()),
	fc.nat(3).map((crashAt) => (world: CronJobWorld) => world.reconcile(crashAt)),
	fc.tuple(fc.nat(9), fc.constantFrom('Complete' as const, 'Failed' as const)).map(([index, how]) => {
		return (world: CronJobWorld) => {
			const job = pick(world.running, index);
			if (job) world.end(job, how);
		};
	}),
	fc.nat(9).map((index) => (world: CronJobWorld) => {
		const job = pick(world.jobs, index);
		if (job) world.delete(job);
	}),
	fc.nat(3).map((index) => (world: CronJobWorld) => world.createByHand(`by-hand-${index}`)),
	spec.map((change) => (world: CronJobWorld) => world.change(change)),
);

const schedule = fc.constantFrom('* * * * *', '*/7 * * * *', '0 * * * *', '30 2 * * *', '@every 90s');
const timeZone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/Sao_Paulo');

test('a CronJob never gets two Jobs for a slot, keeps its policies, and converges after any history', () => {
	fc.assert(
		fc.property(schedule, timeZone, spec, fc.array(step, { maxLength: 60 }), (text, zone, first, steps) => {
			const world = new CronJobWorld(START, { schedule: text, timeZone: zone, ...first });
			for (const act of steps) act(world);
			world.reconcile();
			checkConverged(world);
		}),
		{ numRuns: RUNS },
	);
});

/** Asserts what holds once the controller has nothing left to do. */
function checkConverged({ cronJob, jobs, running }: CronJobWorld): void {
	const active = cronJob.status.active?.map(({ name }) => name) ?? [];
	assert.deepEqual(active.toSorted(), running.map(({ metadata }) => metadata.name).toSorted());
	const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cronJob.spec;
	const ended = (type: 'Complete' | 'Failed'): number =>
		jobs.filter(({ status }) => isConditionTrue(status.conditions, type)).length;
	assert.ok(ended('Complete') <= successfulJobsHistoryLimit);
	assert.ok(ended('Failed') <= failedJobsHistoryLimit);
}

test('a CronJob that no user changes starts the Job of its latest slot, also after a downtime of the controller', () => {
	const even = fc.constantFrom(['* * * * *', 60_000] as const, ['0 * * * *', 3_600_000] as const);
	fc.assert(
		fc.property(
			even,
			timeZone,
			fc.array(fc.integer({ min: 1, max: 90_000 })),
			([text, length], zone, waits) => {
				const world = new CronJobWorld(START, {
					schedule: text,
					timeZone: zone,
					successfulJobsHistoryLimit: 1,
				});
				for (const seconds of waits) {
					world.now += seconds * 1000;
					world.reconcile();
					for (const job of world.running) world.end(job, 'Complete');
					const latest = Math.floor(world.now / length) * length;
					assert.equal(timeOf(world.cronJob.status.lastScheduleTime), latest > START ? latest : undefined);
				}
				world.reconcile();
				checkConverged(world);
			},
		),
		{ numRuns: RUNS },
	);
});
