import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Job, JobSpec, PodFailurePolicyRule } from '../../src/api/batch/job/schema.ts';
import { hasEnded } from '../../src/api/core/pod/phase.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { formatTime } from '../../src/api/meta/time.ts';
import { isTracked } from '../../src/plan/job/pods/classify.ts';
import { makeJob } from './job-objects.ts';
import { World } from './world.ts';

/**
 * Property test: generated histories of a Job. Pods start, finish, fail, and are deleted and evicted. Other
 * clients copy a Pod of the Job or remove its labels. The user scales, suspends and deletes the Job. The
 * controller receives changes late, has writes refused and crashes between any two writes. The ledger asserts
 * the invariants at every write; after that, without further faults, a Job that can finish must finish.
 * `STINT_PROPERTY_RUNS` is the number of histories (default 300). A failing case prints its seed and a shrunk
 * history.
 */
const RUNS = Number(process.env.STINT_PROPERTY_RUNS ?? 300);

const exitCodes = fc.integer({ min: 0, max: 3 });
const small = fc.integer({ min: 1, max: 4 });

const rules: fc.Arbitrary<readonly PodFailurePolicyRule[]> = fc.subarray([
	{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
	{ action: 'Ignore', onExitCodes: { operator: 'In', values: [1] } },
	{ action: 'FailJob', onExitCodes: { operator: 'In', values: [2] } },
	{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [3] } },
]);

const jobTraits = fc.record({
	mode: fc.constantFrom('NonIndexed' as const, 'Indexed' as const, 'WorkQueue' as const),
	completions: small,
	parallelism: small,
	backoffLimit: fc.integer({ min: 0, max: 5 }),
	onFailure: fc.boolean(),
	replaceEnded: fc.boolean(),
	rules: fc.option(rules, { nil: undefined }),
	perIndex: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
	maxFailedIndexes: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
	enough: fc.option(small, { nil: undefined }),
	deadline: fc.option(fc.integer({ min: 20, max: 200 }), { nil: undefined }),
	suspend: fc.boolean(),
});

/** A valid Job. */
const jobs: fc.Arbitrary<Job> = jobTraits.map((traits) => {
	const indexed = traits.mode === 'Indexed';
	const perIndex = indexed ? traits.perIndex : undefined;
	const usable = traits.rules?.filter(({ action }) => action !== 'FailIndex' || perIndex !== undefined);
	const replaceEnded = traits.replaceEnded || usable !== undefined;
	const restartPolicy = traits.onFailure && !usable ? 'OnFailure' : 'Never';
	const succeededCount = Math.min(traits.enough ?? 0, traits.completions);
	const spec: Partial<JobSpec> = {
		...(traits.mode === 'WorkQueue' ? { completions: undefined } : { completions: traits.completions }),
		parallelism: traits.parallelism,
		completionMode: indexed ? 'Indexed' : 'NonIndexed',
		backoffLimit: traits.backoffLimit,
		podReplacementPolicy: replaceEnded ? 'Failed' : 'TerminatingOrFailed',
		...(usable && { podFailurePolicy: { rules: usable } }),
		...(perIndex !== undefined && { backoffLimitPerIndex: perIndex, backoffLimit: 50 }),
		...(perIndex !== undefined && traits.maxFailedIndexes !== undefined
			? { maxFailedIndexes: Math.min(traits.maxFailedIndexes, traits.completions) }
			: {}),
		...(indexed && traits.enough !== undefined && { successPolicy: { rules: [{ succeededCount }] } }),
		...(traits.deadline !== undefined && { activeDeadlineSeconds: traits.deadline }),
		suspend: traits.suspend,
		template: { ...makeJob().spec.template, spec: { restartPolicy, containers: [{ name: 'main' }] } },
	};
	return makeJob(spec);
});

const which = fc.nat(7);
const at = fc.option(fc.nat(9), { nil: undefined });
const step = fc.oneof(
	{ weight: 8, arbitrary: fc.record({ do: fc.constant('reconcile' as const), crashAt: at, failAt: at }) },
	{ weight: 4, arbitrary: fc.record({ do: fc.constant('reconcile' as const) }) },
	{ weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), count: small }) },
	{ weight: 5, arbitrary: fc.record({ do: fc.constant('start' as const), which }) },
	{ weight: 8, arbitrary: fc.record({ do: fc.constant('finish' as const), which, exitCode: exitCodes }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), which }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('evict' as const), which }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), which }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('duplicate' as const), which }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('relabel' as const), which }) },
	{
		weight: 3,
		arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 40 }) }),
	},
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('suspend' as const), on: fc.boolean() }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('scale' as const), to: fc.nat(4) }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function perform(world: World, now: Step): Promise<void> {
	switch (now.do) {
		case 'reconcile':
			await world.reconcile('crashAt' in now ? now : {});
			return;
		case 'deliver':
			world.deliver(now.count);
			return;
		case 'crash':
			world.restart();
			return;
		case 'wait':
			world.now += now.seconds * 1000;
			return;
		case 'suspend':
			if (!world.finished) world.changeSpec({ suspend: now.on });
			return;
		case 'scale':
			if (!world.finished) scale(world, now.to);
			return;
		default:
			performOnPod(world, now);
	}
}

/**
 * Scales the Job as the API allows it: an Indexed Job changes both numbers together, any other its
 * parallelism.
 */
function scale(world: World, to: number): void {
	const indexed = world.job.spec.completionMode === 'Indexed' && !world.job.spec.successPolicy;
	if (indexed && !world.job.spec.maxFailedIndexes) world.changeSpec({ parallelism: to, completions: to });
	else if (!indexed) world.changeSpec({ parallelism: to });
}

function performOnPod(world: World, now: Extract<Step, { readonly which: number }>): void {
	const alive = [...world.pods.values()].filter((pod) => !hasEnded(pod));
	const name = alive[now.which % Math.max(alive.length, 1)]?.metadata.name;
	if (name === undefined) return;
	if (now.do === 'start') world.change(name, (pod) => started(pod, world.now));
	else if (now.do === 'finish')
		world.change(name, (pod) => finished(started(pod, world.now), now.exitCode, world.now));
	else if (now.do === 'restart') world.change(name, (pod) => restarted(pod));
	else if (now.do === 'duplicate') world.duplicate(name);
	else if (now.do === 'relabel') world.change(name, unlabelled);
	else world.deletePod(name);
	if (now.do === 'evict') world.change(name, disrupted);
}

function started(pod: Pod, now: number): Pod {
	if (pod.status.phase !== 'Pending') return pod;
	const lastTransitionTime = formatTime(now);
	const conditions = [
		...(pod.status.conditions ?? []),
		{ type: 'Ready', status: 'True' as const, lastTransitionTime },
	];
	const container = { name: 'main', ready: true, restartCount: 0, image: '', imageID: '' };
	return {
		...pod,
		spec: { ...pod.spec, nodeName: 'node' },
		status: { ...pod.status, phase: 'Running', conditions, containerStatuses: [container] },
	};
}

function finished(pod: Pod, exitCode: number, now: number): Pod {
	const containerStatuses = (pod.status.containerStatuses ?? []).map((container) => ({
		...container,
		state: { terminated: { exitCode, finishedAt: formatTime(now) } },
	}));
	const conditions = pod.status.conditions?.filter(({ type }) => type !== 'Ready');
	const phase = exitCode === 0 ? 'Succeeded' : 'Failed';
	return { ...pod, status: { ...pod.status, phase, containerStatuses, ...(conditions && { conditions }) } };
}

function restarted(pod: Pod): Pod {
	const containerStatuses = (pod.status.containerStatuses ?? []).map((container) => ({
		...container,
		restartCount: container.restartCount + 1,
	}));
	return { ...pod, status: { ...pod.status, containerStatuses } };
}

function unlabelled(pod: Pod): Pod {
	const { labels: _, ...metadata } = pod.metadata;
	return { ...pod, metadata };
}

function disrupted(pod: Pod): Pod {
	const conditions = [
		...(pod.status.conditions ?? []),
		{ type: 'DisruptionTarget', status: 'True' as const },
	];
	return { ...pod, status: { ...pod.status, conditions } };
}

/**
 * Runs the Job to its end without further faults and users. Pods run and end, and the controller reconciles
 * only because of a change or of a delay that it has requested: a missing request would hang here.
 */
async function settle(world: World, codes: readonly number[]): Promise<void> {
	const { suspend, parallelism } = world.job.spec;
	const deleting = world.job.metadata.deletionTimestamp !== undefined;
	if (!world.finished && !deleting && (suspend || parallelism === 0)) {
		world.changeSpec({
			suspend: false,
			...(world.job.spec.completions !== 0 && { parallelism: Math.max(1, parallelism ?? 1) }),
		});
	}
	const outcomes = [...codes];
	for (let turn = 0; turn < 600; turn++) {
		world.deliver();
		const tracked = [...world.pods.values()].some(isTracked);
		if (!tracked && (world.finished || (deleting && !world.dirty))) return;
		const running = [...world.pods.values()].find((pod) => !hasEnded(pod));
		if (world.dirty) await world.reconcile();
		else if (running) {
			const exitCode = outcomes.pop() ?? 0;
			world.now += 500;
			world.change(running.metadata.name ?? '', (pod) =>
				finished(started(pod, world.now), exitCode, world.now),
			);
		} else if (world.reconcileAt !== undefined) {
			world.now = Math.max(world.now, world.reconcileAt);
			world.dirty = true;
		} else break;
	}
	assert.fail(`the Job does not end: ${JSON.stringify(world.job.status)}`);
}

test('a Job counts every Pod once and finishes after any history', async () => {
	await fc.assert(
		fc.asyncProperty(
			jobs,
			fc.array(step, { minLength: 5, maxLength: 60 }),
			fc.array(exitCodes, { maxLength: 8 }),
			async (job, history, codes) => {
				const world = new World(job);
				for (const now of history) await perform(world, now);
				await settle(world, codes);
			},
		),
		{ numRuns: RUNS },
	);
});

test('the controller releases all Pods of a Job that is deleted at any point of a history', async () => {
	await fc.assert(
		fc.asyncProperty(
			jobs,
			fc.array(step, { maxLength: 25 }),
			fc.array(step, { maxLength: 10 }),
			async (job, before, after) => {
				const world = new World(job);
				for (const now of before) await perform(world, now);
				if (!world.finished) world.deleteJob();
				for (const now of after) await perform(world, now);
				await settle(world, []);
			},
		),
		{ numRuns: Math.ceil(RUNS / 3) },
	);
});
