import assert from 'node:assert/strict';
import test from 'node:test';
import type { Deployment } from '../../api/apps/deployment/schema.ts';
import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { formatTime } from '../../api/meta/time.ts';
import { nextRevision, withRolloutRevision } from './annotations.ts';
import { afterCollision } from './plan.ts';
import { afterFailedCreation, planDeployment } from './plan-deployment.ts';
import { byRevision, newReplicaSet } from './replica-sets.ts';
import { isSameTemplate, templateHash } from './template-hash.ts';
import { deploymentOf, RolloutModel } from './testing/rollout-model.ts';

const REVISION = 'deployment.kubernetes.io/revision';

function settled(spec: object = {}): RolloutModel {
	const model = new RolloutModel(deploymentOf(spec));
	model.settle();
	return model;
}

function progressingOf({ status }: Deployment): readonly (string | undefined)[] {
	const condition = findCondition(status.conditions, 'Progressing');
	return [condition?.status, condition?.reason, condition?.message];
}

function onlySet({ sets }: RolloutModel): ReplicaSet {
	const [set] = sets;
	assert.ok(set);
	return set;
}

test('a new Deployment gets a ReplicaSet with the hash of its template, and revision 1', () => {
	const model = new RolloutModel(deploymentOf({ replicas: 3, minReadySeconds: 2 }));
	model.deployment = {
		...model.deployment,
		metadata: {
			...model.deployment.metadata,
			annotations: { team: 'a', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
		},
	};
	model.rollOut();
	const { metadata, spec } = onlySet(model);
	const hash = metadata.labels?.['pod-template-hash'] ?? '';
	assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]+$/);
	assert.equal(metadata.name, `web-${hash}`);
	assert.deepEqual(spec.selector?.matchLabels, { app: 'web', 'pod-template-hash': hash });
	assert.deepEqual(spec.template.metadata?.labels, { app: 'web', 'pod-template-hash': hash });
	assert.deepEqual([spec.replicas, spec.minReadySeconds], [3, 2]);
	assert.deepEqual(metadata.annotations, {
		team: 'a',
		[REVISION]: '1',
		'deployment.kubernetes.io/desired-replicas': '3',
		'deployment.kubernetes.io/max-replicas': '4',
	});
	assert.equal(model.deployment.metadata.annotations?.[REVISION], '1');
	assert.deepEqual(model.events, [`Scaled up replica set web-${hash} from 0 to 3`]);
	assert.deepEqual(progressingOf(model.deployment), [
		'True',
		'NewReplicaSetCreated',
		`Created new replica set "web-${hash}"`,
	]);
	assert.equal(
		findCondition(model.deployment.status.conditions, 'Available')?.reason,
		'MinimumReplicasUnavailable',
	);
});

test('a complete rollout says so, and the next pass writes nothing', () => {
	const model = settled({ replicas: 2 });
	const { name } = onlySet(model).metadata;
	assert.deepEqual(progressingOf(model.deployment), [
		'True',
		'NewReplicaSetAvailable',
		`ReplicaSet "${name}" has successfully progressed.`,
	]);
	const { conditions: _conditions, ...counts } = model.deployment.status;
	assert.deepEqual(counts, {
		observedGeneration: 1,
		replicas: 2,
		updatedReplicas: 2,
		readyReplicas: 2,
		availableReplicas: 2,
		terminatingReplicas: 0,
	});
	const plan = planDeployment({
		...{ deployment: model.deployment, sets: model.sets, orphans: [], pods: model.pods },
		now: model.now,
	});
	assert.deepEqual(plan, { adopt: [], release: [], update: [], delete: [] });
});

test('a rollback gives the old ReplicaSet the next revision, and it remembers the earlier one', () => {
	const model = settled();
	model.setVersion('2');
	model.settle();
	model.setVersion('1');
	model.settle();
	assert.equal(model.sets.length, 2);
	const { annotations } = onlySet(model).metadata;
	assert.deepEqual(
		[annotations?.[REVISION], annotations?.['deployment.kubernetes.io/revision-history']],
		['3', '1'],
	);
	assert.equal(model.deployment.metadata.annotations?.[REVISION], '3');
});

test('a revision is an int64, and what is none does not count', () => {
	const deployment = deploymentOf();
	const withRevision = (text: string): ReplicaSet => ({
		...newReplicaSet(deployment),
		metadata: { name: 's', annotations: { [REVISION]: text } },
	});
	const after = (text: string): bigint => nextRevision([withRevision(text)]);
	assert.equal(after('3546343826724305832'), 3_546_343_826_724_305_833n);
	assert.equal(after('+0007'), 8n);
	assert.equal(after('-5'), 1n);
	for (const text of ['9223372036854775808', '1e3', '', '1 ', '0x1']) assert.equal(after(text), 1n, text);
	const [low, high] = [withRevision('9007199254740992'), withRevision('9007199254740993')];
	assert.deepEqual([high, low].sort(byRevision), [low, high]);
});

test('the history of revisions stays within its maximum length', () => {
	const deployment = deploymentOf();
	const history = Array.from({ length: 500 }, (_, index) => `${index + 1000}`).join(',');
	const annotations = { [REVISION]: '1500', 'deployment.kubernetes.io/revision-history': history };
	const set = { ...newReplicaSet(deployment), metadata: { name: 's', annotations } };
	const next = withRolloutRevision(set, deployment, 1501n).metadata.annotations?.[
		'deployment.kubernetes.io/revision-history'
	];
	assert.ok(next && next.length <= 2000);
	assert.ok(next.startsWith('1101,') && next.endsWith(',1499,1500'), next.slice(0, 20));
	assert.equal(withRolloutRevision(set, deployment, 1500n), set);
	const strange = { ...set, metadata: { name: 's', annotations: { [REVISION]: 'x' } } };
	assert.equal(withRolloutRevision(strange, deployment, 7n), strange);
});

test('old ReplicaSets beyond the history limit are deleted, those of the earliest revisions', () => {
	const model = settled({ revisionHistoryLimit: 2 });
	for (const version of ['2', '3', '4', '5']) {
		model.setVersion(version);
		model.settle();
	}
	assert.deepEqual(
		model.sets.map(({ spec }) => spec.template.spec.containers[0]?.image),
		['3', '4', '5'],
	);
});

test('a pause stops the rollout but not the scaling, and a resumption continues it', () => {
	const model = settled({ replicas: 2 });
	model.edit({ paused: true });
	model.settle();
	assert.deepEqual(progressingOf(model.deployment), ['Unknown', 'DeploymentPaused', 'Deployment is paused']);
	model.setVersion('2');
	model.edit({ replicas: 4 });
	model.settle();
	assert.deepEqual([model.sets.length, model.available], [1, 4]);
	model.edit({ paused: false });
	model.rollOut();
	assert.equal(progressingOf(model.deployment)[0], 'True');
	assert.equal(model.sets.length, 2);
	model.settle();
	assert.equal(progressingOf(model.deployment)[1], 'NewReplicaSetAvailable');
});

test('a rollout without progress is reported after the deadline, and recovers', () => {
	const model = settled({ replicas: 2, progressDeadlineSeconds: 10 });
	model.setVersion('2');
	model.rollOut();
	// The first pass creates the Pod, the second counts it.
	for (const index of [1, 1]) model.syncSet(index);
	model.rollOut();
	const name = model.sets[1]?.metadata.name;
	assert.deepEqual(progressingOf(model.deployment), [
		'True',
		'ReplicaSetUpdated',
		`ReplicaSet "${name}" is progressing.`,
	]);
	const planNow = (): ReturnType<typeof planDeployment> =>
		planDeployment({
			...{ deployment: model.deployment, sets: model.sets, orphans: [], pods: model.pods },
			now: model.now,
		});
	assert.equal(planNow().recheckAfterMs, 11_000);
	model.now += 11_000;
	model.rollOut();
	assert.deepEqual(progressingOf(model.deployment), [
		'False',
		'ProgressDeadlineExceeded',
		`ReplicaSet "${name}" has timed out progressing.`,
	]);
	assert.equal(planNow().recheckAfterMs, undefined);
	model.settle();
	assert.equal(progressingOf(model.deployment)[1], 'NewReplicaSetAvailable');
});

test('a failure of a ReplicaSet to create Pods becomes a condition of the Deployment', () => {
	const model = settled();
	const condition = {
		...{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'no quota' },
		lastTransitionTime: formatTime(5000),
	};
	const set = onlySet(model);
	model.sets = [{ ...set, status: { ...set.status, conditions: [condition] } }];
	model.rollOut();
	assert.deepEqual(findCondition(model.deployment.status.conditions, 'ReplicaFailure'), {
		...condition,
		lastUpdateTime: formatTime(5000),
	});
	model.sets = [set];
	model.rollOut();
	assert.equal(findCondition(model.deployment.status.conditions, 'ReplicaFailure'), undefined);
});

test('a Deployment adopts matching ReplicaSets without a controller, and releases those that do not match', () => {
	const deployment = deploymentOf();
	const set = (name: string, labels: Readonly<Record<string, string>>, more: object = {}): ReplicaSet => ({
		...newReplicaSet(deployment),
		metadata: { name, labels, ...more },
	});
	const sets = [set('own', { app: 'web' }), set('changed', { app: 'db' })];
	const orphans = [
		set('orphan', { app: 'web' }),
		set('other', { app: 'db' }),
		set('ending', { app: 'web' }, { deletionTimestamp: formatTime(0) }),
	];
	const plan = planDeployment({ deployment, sets, orphans, pods: [], now: 0 });
	assert.deepEqual(
		[plan.adopt, plan.release].map((acts) => acts.map((act) => act.set.metadata.name)),
		[['orphan'], ['changed']],
	);
	assert.deepEqual([plan.create, plan.update, plan.deployment], [undefined, [], undefined]);
	const ending = { ...deployment, metadata: { ...deployment.metadata, deletionTimestamp: formatTime(0) } };
	const {
		adopt,
		release,
		create,
		delete: removed,
	} = planDeployment({ deployment: ending, sets, orphans, pods: [], now: 0 });
	assert.deepEqual([adopt, release, create, removed], [[], [], undefined, []]);
});

test('a taken name leads to another hash, and a failed creation to a condition', () => {
	const deployment = deploymentOf();
	const collided = { ...deployment, status: afterCollision(deployment) };
	assert.equal(collided.status.collisionCount, 1);
	assert.notEqual(newReplicaSet(collided).metadata.name, newReplicaSet(deployment).metadata.name);
	const failed = afterFailedCreation(deployment, { name: 'web-x', message: 'no', now: 0 });
	assert.deepEqual(progressingOf(failed), [
		'False',
		'ReplicaSetCreateError',
		'Failed to create new replica set "web-x": no',
	]);
	const unlimited = deploymentOf({ progressDeadlineSeconds: 2 ** 31 - 1 });
	assert.equal(afterFailedCreation(unlimited, { name: 'x', message: '', now: 0 }), unlimited);
});

test('the hash follows from the meaning of a template, not from its form', () => {
	const { template } = deploymentOf().spec;
	const [container] = template.spec.containers;
	assert.ok(container);
	const reordered = {
		spec: { ...template.spec, volumes: [] },
		metadata: { ...template.metadata, annotations: {} },
	};
	assert.equal(templateHash(reordered, undefined), templateHash(template, undefined));
	assert.ok(isSameTemplate(reordered, template));
	const other = { ...template, spec: { ...template.spec, containers: [{ ...container, image: 'b' }] } };
	assert.notEqual(templateHash(other, undefined), templateHash(template, undefined));
	assert.ok(!isSameTemplate(other, template));
	assert.notEqual(templateHash(template, 0), templateHash(template, undefined));
});
