import { create, JSON_TYPE, NODES, PODS, pod, type Step, times } from './parts.ts';

/** Pods and Nodes that are expensive for controllers and for the scheduler, and not only for the API server. */

const OWNERS = times(3_900, (i) => ({ apiVersion: 'v1', kind: 'Pod', name: `p${i}`, uid: `u${i}` }));

const POD_TERMS: readonly Step[] = [
	...[3_900, 2_000].map(
		(count): Step => [
			`a Pod with ${count} owners`,
			201,
			'POST',
			PODS,
			[JSON_TYPE, pod(`owned-${count}`, {}, { ownerReferences: OWNERS.slice(0, count) })],
		],
	),
	...[
		['others', 'm'],
		['the same', 'k'],
	].map(
		([what, prefix], index): Step => [
			`a Pod with 9,000 matchLabelKeys and ${what} as mismatchLabelKeys`,
			index === 0 ? 201 : 422,
			'POST',
			PODS,
			[
				JSON_TYPE,
				pod(`keys-${index}`, {
					affinity: {
						podAffinity: {
							requiredDuringSchedulingIgnoredDuringExecution: [
								{
									topologyKey: 'zone',
									labelSelector: {},
									matchLabelKeys: times(9_000, (i) => `k${i}`),
									mismatchLabelKeys: times(9_000, (i) => `${prefix}${i}`),
								},
							],
						},
					},
				}),
			],
		],
	),
];

const TAINTED = 'tainted';

function tolerating(name: string, spec: object): object {
	const tolerations = times(6_000, (i) => ({ key: `k${5_999 - i}`, operator: 'Exists' }));
	return pod(name, { tolerations, ...spec });
}

const TAINTS: readonly Step[] = [
	create(NODES, 'a Node with 6,000 taints', {
		apiVersion: 'v1',
		kind: 'Node',
		metadata: { name: TAINTED },
		spec: { taints: times(6_000, (i) => ({ key: `k${i}`, effect: 'NoExecute' })) },
	}),
	create(PODS, 'a Pod that tolerates them', tolerating('tolerates', { schedulerName: 'default-scheduler' })),
	create(
		PODS,
		'a Pod on that Node that tolerates them',
		tolerating('tolerates-there', { nodeName: TAINTED }),
	),
	['the deletion of the Node', 200, 'DELETE', `${NODES}/${TAINTED}`],
];

/** Every step, in order. */
export const PLACEMENT: readonly Step[] = [...POD_TERMS, ...TAINTS];
