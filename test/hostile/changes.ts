import {
	create,
	entries,
	JOBS,
	JSON_TYPE,
	job,
	MERGE,
	PODS,
	pod,
	STRATEGIC,
	type Step,
	TABLE,
	times,
} from './parts.ts';

/** Updates and deletions of objects that earlier steps have stored. */

/** Lists of completion indexes, which validation parses. */
const INDEXED = 'indexed';
const INDEX_LISTS: readonly Step[] = [
	create(JOBS, 'an Indexed Job', {
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: { name: INDEXED },
		spec: {
			template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'b' }] } },
			completionMode: 'Indexed',
			completions: 2_000_000,
			parallelism: 1,
			backoffLimitPerIndex: 1,
			maxFailedIndexes: 1,
			suspend: true,
		},
	}),
	...(['completedIndexes', 'failedIndexes'] as const).flatMap((field) =>
		(
			[
				['a number of 2.9 MB', 422, '9'.repeat(2_900_000)],
				['a number that begins with a million zeros', 200, `${'0'.repeat(1_000_000)}1`],
				[
					'200,000 numbers in order',
					// failedIndexes may not overlap completedIndexes, which an earlier step has set to the same numbers.
					field === 'completedIndexes' ? 200 : 422,
					times(200_000, (i) => i * 2).join(','),
				],
				// The most that fit into a body.
				[
					'400,000 numbers in order',
					field === 'completedIndexes' ? 200 : 422,
					times(400_000, (i) => i * 2).join(','),
				],
				['a million numbers out of order', 422, '7,'.repeat(1_000_000)],
				['a million fragments without a number', 422, ','.repeat(1_000_000)],
				['a million dashes', 422, '-'.repeat(1_000_000)],
			] as const
		).map(
			([what, status, text]): Step => [
				`a status whose ${field} are ${what}`,
				status,
				'PATCH',
				`${JOBS}/${INDEXED}/status`,
				[MERGE, { status: { [field]: text } }],
			],
		),
	),
];

const CONDITIONS = 'conditions';

function conditions(status: string): readonly object[] {
	return times(3_900, (i) => ({ type: `example.com/c${i}`, status, reason: `R${status}` }));
}

const STATUS_CHANGES: readonly Step[] = [
	create(PODS, 'a Pod for conditions', pod(CONDITIONS)),
	...(['True', 'False', 'Unknown'] as const).map(
		(status): Step => [
			`a strategic merge of 3,900 conditions that become ${status}`,
			200,
			'PATCH',
			`${PODS}/${CONDITIONS}/status`,
			[STRATEGIC, { status: { conditions: conditions(status) } }],
		],
	),
	[
		'a merge of 3,900 conditions in the reverse order',
		200,
		'PATCH',
		`${PODS}/${CONDITIONS}/status`,
		[MERGE, { status: { conditions: conditions('True').toReversed() } }],
	],
	[
		'a PUT of 3,900 changed conditions',
		200,
		'PUT',
		`${PODS}/${CONDITIONS}/status`,
		[JSON_TYPE, { ...pod(CONDITIONS), status: { conditions: conditions('False') } }],
	],
	['a Table of a Pod with 3,900 conditions', 200, 'GET', `${PODS}/${CONDITIONS}`, undefined, TABLE],
	['the deletion of a Pod with 3,900 conditions', 200, 'DELETE', `${PODS}/${CONDITIONS}`],
];

const GATES = 'gates';

/** The server looks up each readiness gate among the Pod's conditions. */
const READINESS_GATES: readonly Step[] = [
	create(
		PODS,
		'a Pod with 9,000 readiness gates',
		pod(GATES, { readinessGates: times(9_000, (i) => ({ conditionType: `g${i}` })) }),
	),
	[
		'a status with their conditions behind others',
		200,
		'PATCH',
		`${PODS}/${GATES}/status`,
		[MERGE, { status: { conditions: times(13_000, (i) => ({ type: `g${12_999 - i}`, status: 'True' })) } }],
	],
	['a Table of a Pod with 9,000 readiness gates', 200, 'GET', PODS, undefined, TABLE],
];

const FINALIZERS = 'finalizers';
const MANY_FINALIZERS = times(19_000, (i) => `example.com/f${i}`);

/** A Job with a manual selector: a generated one would not be known to the PUTs. */
function jobWithFinalizers(finalizers: readonly string[]): object {
	const labels = { own: 'y' };
	const template = {
		metadata: { labels },
		spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'b' }] },
	};
	const spec = { manualSelector: true, selector: { matchLabels: labels }, template, suspend: true };
	return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: FINALIZERS, finalizers }, spec };
}

function withFinalizers(finalizers: readonly string[]): readonly [string, object] {
	return [JSON_TYPE, jobWithFinalizers(finalizers)];
}

const FINALIZER_CHANGES: readonly Step[] = [
	create(JOBS, 'a Job with 19,000 finalizers', jobWithFinalizers(MANY_FINALIZERS)),
	[
		'a PUT of them in the reverse order',
		200,
		'PUT',
		`${JOBS}/${FINALIZERS}`,
		withFinalizers(MANY_FINALIZERS.toReversed()),
	],
	[
		'the deletion of a Job with 19,000 finalizers',
		200,
		'DELETE',
		`${JOBS}/${FINALIZERS}?propagationPolicy=Foreground`,
	],
	['another deletion of it', 200, 'DELETE', `${JOBS}/${FINALIZERS}?propagationPolicy=Background`],
	['a PUT of them in another order', 200, 'PUT', `${JOBS}/${FINALIZERS}`, withFinalizers(MANY_FINALIZERS)],
	[
		'a PUT of as many other finalizers',
		422,
		'PUT',
		`${JOBS}/${FINALIZERS}`,
		withFinalizers(times(19_000, (i) => `example.com/g${i}`)),
	],
	[
		'a PATCH that removes every second one',
		200,
		'PATCH',
		`${JOBS}/${FINALIZERS}`,
		[MERGE, { metadata: { finalizers: MANY_FINALIZERS.filter((_, i) => i % 2 === 0) } }],
	],
	[
		'a PATCH that deletes each of them by value',
		200,
		'PATCH',
		`${JOBS}/${FINALIZERS}`,
		[STRATEGIC, { metadata: { '$deleteFromPrimitiveList/finalizers': MANY_FINALIZERS } }],
	],
	create(JOBS, 'a Job with 19,000 finalizers again', jobWithFinalizers(MANY_FINALIZERS)),
	[
		'the deletion of a Job with 19,000 finalizers that orphans its dependents',
		200,
		'DELETE',
		`${JOBS}/${FINALIZERS}?propagationPolicy=Orphan`,
	],
];

const ANNOTATED = 'annotated';
const BOUND = { nodeName: 'gone' };

const POD_DELETIONS: readonly Step[] = [
	create(
		PODS,
		'a bound Pod with 19,900 annotations',
		pod(ANNOTATED, BOUND, { annotations: entries(19_900) }),
	),
	['its deletion', 200, 'DELETE', `${PODS}/${ANNOTATED}?gracePeriodSeconds=100`],
	['its deletion with a shorter period', 200, 'DELETE', `${PODS}/${ANNOTATED}?gracePeriodSeconds=50`],
	['its deletion without a period', 200, 'DELETE', `${PODS}/${ANNOTATED}?gracePeriodSeconds=0`],
];

const BIG = `${JOBS}?labelSelector=${encodeURIComponent('big=y')}`;

/** Large objects that a single request deletes. */
const COLLECTION_DELETIONS: readonly Step[] = [
	...times(40, (i) =>
		create(
			JOBS,
			`a Job with 19,000 annotations (${i})`,
			job({ name: `big-${i}`, labels: { big: 'y' }, annotations: entries(19_000) }),
		),
	),
	['the deletion of them all in a dry run', 200, 'DELETE', `${BIG}&dryRun=All&propagationPolicy=Foreground`],
	['the deletion of them all', 200, 'DELETE', `${BIG}&propagationPolicy=Foreground`],
];

/** Every step, in order. */
export const CHANGES: readonly Step[] = [
	...INDEX_LISTS,
	...STATUS_CHANGES,
	...READINESS_GATES,
	...FINALIZER_CHANGES,
	...POD_DELETIONS,
	...COLLECTION_DELETIONS,
];
