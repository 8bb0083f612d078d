import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { findCondition } from '../../api/meta/conditions.ts';
import { maxSurge, maxUnavailable } from './limits.ts';
import { deploymentOf, RolloutModel } from './testing/rollout-model.ts';

/** What rollouts must never do and what they must reach, in all orders in which the components may act. */

const amounts = fc.oneof(
	fc.integer({ min: 0, max: 4 }),
	fc.integer({ min: 0, max: 100 }).map((percent) => `${percent}%`),
);

/** The limits of a rolling update; both 0 are refused by validation. */
const limits = fc
	.record({ maxSurge: amounts, maxUnavailable: amounts })
	.filter(
		({ maxSurge: a, maxUnavailable: b }) => Number.parseInt(`${a}`, 10) + Number.parseInt(`${b}`, 10) > 0,
	);

/** Who acts next, and on which of its objects. */
const acts = fc.record({
	who: fc.constantFrom('deployment', 'set', 'set', 'ready', 'ready', 'end', 'time'),
	which: fc.nat(9),
});

/** A new version of the template before the act at this position. */
const edits = fc.dictionary(fc.nat(80).map(String), fc.constantFrom('1', '2', '3'), {
	minKeys: 1,
	maxKeys: 3,
});

type Act = typeof acts extends fc.Arbitrary<infer T> ? T : never;

function perform(model: RolloutModel, { who, which }: Act): void {
	if (who === 'deployment') model.rollOut();
	else if (who === 'set') model.syncSet(which);
	else if (who === 'ready') model.makeReady(which);
	else if (who === 'end') model.end(which);
	else model.now += 1000 * (which + 1);
}

/** A model whose first rollout is complete. */
function rolledOut(spec: object): RolloutModel {
	const model = new RolloutModel(deploymentOf(spec));
	model.settle();
	return model;
}

function assertComplete(model: RolloutModel, version: string): void {
	const { spec, status } = model.deployment;
	const replicas = spec.replicas ?? 0;
	assert.equal(model.pods.length, replicas);
	assert.equal(model.available, replicas);
	assert.ok(model.pods.every((pod) => pod.spec.containers[0]?.image === version));
	assert.equal(model.size, replicas);
	assert.deepEqual(
		[status.updatedReplicas ?? 0, status.availableReplicas ?? 0, status.unavailableReplicas ?? 0],
		[replicas, replicas, 0],
	);
	assert.equal(findCondition(status.conditions, 'Progressing')?.reason, 'NewReplicaSetAvailable');
	assert.equal(findCondition(status.conditions, 'Available')?.status, 'True');
}

test('a rolling update never has too few available Pods or too many desired ones, and completes', () => {
	fc.assert(
		fc.property(
			fc.nat(8),
			limits,
			fc.array(acts, { minLength: 20, maxLength: 100 }),
			edits,
			(replicas, rollingUpdate, sequence, versions) => {
				const model = rolledOut({ replicas, strategy: { rollingUpdate } });
				assertComplete(model, '1');
				const least = replicas - maxUnavailable(model.deployment);
				const most = replicas + maxSurge(model.deployment);
				let version = '1';
				for (const [index, act] of sequence.entries()) {
					version = versions[index] ?? version;
					if (versions[index]) model.setVersion(version);
					perform(model, act);
					assert.ok(model.available >= least, `${model.available} available Pods of at least ${least}`);
					assert.ok(model.size <= most, `${model.size} Pods desired of at most ${most}`);
				}
				model.settle();
				assertComplete(model, version);
			},
		),
		{ numRuns: 300 },
	);
});

test('Recreate never runs Pods of two versions at the same time, and completes', () => {
	fc.assert(
		fc.property(fc.nat(5), fc.array(acts, { maxLength: 100 }), edits, (replicas, sequence, versions) => {
			const model = rolledOut({ replicas, strategy: { type: 'Recreate' } });
			assertComplete(model, '1');
			let version = '1';
			for (const [index, act] of sequence.entries()) {
				version = versions[index] ?? version;
				if (versions[index]) model.setVersion(version);
				perform(model, act);
				const running = new Set(model.pods.map(({ spec }) => spec.containers[0]?.image));
				assert.ok(running.size <= 1, [...running].join(' and '));
			}
			model.settle();
			assertComplete(model, version);
		}),
		{ numRuns: 200 },
	);
});

test('a Deployment reaches its size from any state: scaled, paused and resumed during rollouts', () => {
	const changes = fc.oneof(
		fc.nat(8).map((replicas) => ({ replicas })),
		fc.boolean().map((paused) => ({ paused })),
		fc.constantFrom({ minReadySeconds: 3 }, { minReadySeconds: 0 }),
	);
	const steps = fc.array(fc.oneof(acts, changes, fc.constantFrom('1', '2', '3')), { maxLength: 80 });
	fc.assert(
		fc.property(fc.nat(8), limits, steps, (replicas, rollingUpdate, sequence) => {
			const model = rolledOut({ replicas, strategy: { rollingUpdate } });
			let version = '1';
			for (const step of sequence) {
				if (typeof step === 'string') {
					version = step;
					model.setVersion(version);
				} else if ('who' in step) perform(model, step);
				else model.edit(step);
			}
			model.edit({ paused: false });
			model.settle(200);
			assertComplete(model, version);
		}),
		{ numRuns: 300 },
	);
});

test('a rollout continues after a scale-down to the size that its only Pods have', () => {
	const model = rolledOut({ replicas: 8, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } });
	model.setVersion('2');
	model.rollOut();
	model.edit({ replicas: 7 });
	model.settle(200);
	assertComplete(model, '2');
});

test('scaling during a rollout keeps the proportion of the versions', () => {
	const model = rolledOut({ replicas: 10, strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } });
	model.setVersion('2');
	for (let round = 0; round < 5; round++) {
		model.rollOut();
		for (const index of model.sets.keys()) model.syncSet(index);
	}
	const sizes = (): readonly (number | undefined)[] => model.sets.map(({ spec }) => spec.replicas);
	assert.deepEqual(sizes(), [8, 5]);
	model.edit({ replicas: 30 });
	model.rollOut();
	// 20 Pods more, distributed as 8 to 5, and the rest to the larger.
	assert.deepEqual(sizes(), [20, 13]);
	assert.deepEqual(model.events.slice(-2), [
		`Scaled up replica set ${model.sets[1]?.metadata.name} from 5 to 13`,
		`Scaled up replica set ${model.sets[0]?.metadata.name} from 8 to 20`,
	]);
	model.settle();
	assertComplete(model, '2');
});

test('new Pods that never become available keep the old ones, even those that fail meanwhile', () => {
	const model = rolledOut({ replicas: 10, strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } });
	model.setVersion('2');
	for (let round = 0; round < 5; round++) {
		model.rollOut();
		for (const index of model.sets.keys()) model.syncSet(index);
	}
	const [old] = model.sets;
	assert.ok(old);
	const failing = model.podsOf(old).find(({ metadata }) => metadata.deletionTimestamp === undefined);
	model.pods = model.pods.map((pod) => (pod === failing ? { ...pod, status: { phase: 'Running' } } : pod));
	model.syncSet(0);
	model.rollOut();
	assert.deepEqual(
		model.sets.map(({ spec, status }) => [spec.replicas, status.availableReplicas ?? 0]),
		[
			[8, 7],
			[5, 0],
		],
	);
});

test('Recreate waits while an old ReplicaSet reports Pods, although none is in the cache', () => {
	const model = rolledOut({ replicas: 1, strategy: { type: 'Recreate' } });
	model.setVersion('2');
	model.rollOut();
	model.pods = [];
	model.rollOut();
	assert.equal(model.sets.length, 1);
	model.settle();
	assertComplete(model, '2');
});
