import assert from 'node:assert/strict';
import test from 'node:test';
import { podWith } from '../testing/pod-with.ts';
import { oomScoreAdjOf } from './oom-score.ts';

function requesting(memory: string, more: object = {}): object {
	return { name: 'c', resources: { requests: { memory } }, ...more };
}

const CASES: readonly { readonly title: string; readonly spec: object; readonly score: number }[] = [
	{ title: 'without requests', spec: { containers: [{ name: 'c' }] }, score: 1000 },
	{
		title: 'with equal requests and limits',
		spec: {
			containers: [
				{
					name: 'c',
					resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } },
				},
			],
		},
		score: -997,
	},
	{
		title: 'that is critical for its node',
		spec: { containers: [{ name: 'c' }], priority: 2_000_001_000 },
		score: -997,
	},
	{ title: 'that requests a quarter of the memory', spec: { containers: [requesting('1Gi')] }, score: 750 },
	{ title: 'that requests all memory', spec: { containers: [requesting('4Gi')] }, score: 3 },
	{ title: 'that requests a byte', spec: { containers: [requesting('1')] }, score: 999 },
	{
		title: 'of a Pod that requests more than its containers',
		spec: { containers: [requesting('1Gi'), { name: 'd' }], resources: { requests: { memory: '3Gi' } } },
		score: 500,
	},
];

for (const { title, spec, score } of CASES) {
	test(`the score of a container ${title}`, () => {
		const pod = podWith(spec);
		assert.equal(oomScoreAdjOf(pod, pod.spec.containers[0] ?? { name: '' }, '4Gi'), score);
	});
}

test('a sidecar ends no sooner than the containers that it serves', () => {
	const sidecar = { name: 's', restartPolicy: 'Always' };
	const pod = podWith({ containers: [requesting('2Gi'), requesting('1Gi')], initContainers: [sidecar] });
	const [own = { name: '' }] = pod.spec.initContainers ?? [];
	assert.equal(oomScoreAdjOf(pod, own, '4Gi'), 750);
});

test('the class in the status decides, not the containers', () => {
	const pod = podWith({ containers: [{ name: 'c' }] });
	const guaranteed = { ...pod, status: { ...pod.status, qosClass: 'Guaranteed' as const } };
	assert.equal(oomScoreAdjOf(guaranteed, { name: 'c' }, '4Gi'), -997);
});
