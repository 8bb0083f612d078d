import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jobs } from '../../api/batch/job/definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { DeleteOptions } from '../../api/meta/delete-options.ts';
import type { KubeObject, ObjectMeta } from '../../api/meta/object-meta.ts';
import { decodeAs } from '../../api/schema/decode.ts';
import { type DeletionAct, planDeletion } from './plan-deletion.ts';

const NOW = Date.UTC(2026, 0, 1);

function job(metadata: object = {}): KubeObject {
	const json = { kind: 'Job', apiVersion: 'batch/v1', metadata: { name: 'j', ...metadata }, spec: {} };
	return decodeAs<KubeObject>(jobs.schema, json).value;
}

function pod(metadata: object = {}, nodeName = 'node'): KubeObject {
	const spec = { nodeName, containers: [{ name: 'a', image: 'x' }], terminationGracePeriodSeconds: 30 };
	const json = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p', ...metadata }, spec, status: {} };
	return decodeAs<KubeObject>(pods.schema, json).value;
}

const metaOf = (act: DeletionAct): ObjectMeta => (act.kind === 'pending' ? {} : act.object.metadata);

test('the propagation policy comes from the options, else from finalizers, else from the kind', () => {
	const rows: readonly (readonly [DeleteOptions, readonly string[], readonly string[] | undefined])[] = [
		[{}, [], ['orphan']],
		[{ propagationPolicy: 'Background' }, [], undefined],
		[{ propagationPolicy: 'Foreground' }, [], ['foregroundDeletion']],
		[{ propagationPolicy: 'Orphan' }, ['foregroundDeletion'], ['orphan']],
		[{ propagationPolicy: 'Background' }, ['orphan', 'a/b'], ['a/b']],
		[{}, ['foregroundDeletion'], ['foregroundDeletion']],
		[{}, ['a/b', 'orphan'], ['a/b', 'orphan']],
		[{ orphanDependents: true }, [], ['orphan']],
		[{ orphanDependents: false }, ['orphan'], undefined],
	];
	for (const [options, before, after] of rows) {
		const act = planDeletion({ definition: jobs, object: job({ finalizers: before }) }, options, NOW);
		assert.deepEqual(metaOf(act).finalizers, after, JSON.stringify({ options, before }));
		assert.equal(act.kind, after ? 'mark' : 'remove');
	}
});

test('the first DELETE increments the generation once', () => {
	const first = planDeletion({ definition: jobs, object: job({ generation: 3 }) }, {}, NOW);
	assert.equal(metaOf(first).generation, 4);
	const { generation, deletionTimestamp } = metaOf(first);
	const again = planDeletion(
		{ definition: jobs, object: job({ ...metaOf(first), finalizers: ['orphan'] }) },
		{},
		NOW + 5000,
	);
	assert.deepEqual(
		[metaOf(again).generation, metaOf(again).deletionTimestamp],
		[generation, deletionTimestamp],
	);
});

test('a Pod without a node is removed at once, a negative grace period is one second', () => {
	assert.equal(planDeletion({ definition: pods, object: pod({}, '') }, {}, NOW).kind, 'remove');
	assert.equal(
		metaOf(planDeletion({ definition: pods, object: pod() }, { gracePeriodSeconds: -5 }, NOW))
			.deletionGracePeriodSeconds,
		1,
	);
});

test('repeated DELETEs never extend the grace period of a Pod, and finalizers always keep it', () => {
	const step = fc.record({
		gracePeriodSeconds: fc.option(fc.integer({ min: -1, max: 60 }), { nil: undefined }),
		laterMs: fc.integer({ min: 0, max: 40_000 }),
	});
	const steps = fc.array(step, { minLength: 1, maxLength: 6 });
	fc.assert(
		fc.property(steps, fc.boolean(), (asked, held) => {
			let current = pod(held ? { finalizers: ['a/b'] } : {});
			let now = NOW;
			let end = Number.POSITIVE_INFINITY;
			for (const { gracePeriodSeconds, laterMs } of asked) {
				now += laterMs;
				const options = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
				const act = planDeletion({ definition: pods, object: current }, options, now);
				if (act.kind === 'remove') {
					assert.ok(!held);
					return;
				}
				if (act.kind === 'pending') continue;
				const due = Date.parse(act.object.metadata.deletionTimestamp ?? '');
				assert.ok(due <= end);
				end = due;
				current = act.object;
			}
		}),
	);
});
