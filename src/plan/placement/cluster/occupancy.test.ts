import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { podOf } from '../testing/placement-world.ts';
import { Occupancy, type PodQuestion } from './occupancy.ts';

const HOST = 'kubernetes.io/hostname';
const byApp = (app: string): PodQuestion => ({
	signature: `app ${app}`,
	matches: ({ metadata }) => metadata.labels?.app === app && !metadata.deletionTimestamp,
});

function variant(uid: string, app: string, more: { readonly ends?: boolean; readonly loner?: boolean }): Pod {
	const term = { labelSelector: { matchLabels: { app } }, topologyKey: HOST };
	const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
	return podOf({
		labels: { app },
		requests: { cpu: app === 'a' ? '100m' : '300m' },
		ports: more.loner ? [{ containerPort: 80, hostPort: 80 }] : [],
		metadata: { uid, ...(more.ends && { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
		spec: { priority: app === 'a' ? 0 : 5, ...(more.loner && { affinity }) },
	});
}

/** All results, in a canonical order. */
function everything(occupancy: Occupancy): unknown {
	const sorted = (map: ReadonlyMap<string, number>): unknown => [...map].sort();
	return ['n1', 'n2'].map((node) => ({
		requested: sorted(occupancy.usage(node).requested),
		forScores: sorted(occupancy.usage(node).forScores),
		isTaken: occupancy.usage(node).ports.conflictsWith({ ip: '0.0.0.0', protocol: 'TCP', port: 80 }),
		low: occupancy.lessImportant(node, 5).length,
		all: occupancy.lessImportant(node, 6).length,
		a: occupancy.countByNode(byApp('a')).get(node),
		b: occupancy.countByNode(byApp('b')).get(node),
		terms: Array.from(occupancy.antiAffinityTerms, ({ term, podsByNode }) => [
			term.signature,
			podsByNode.get(node),
		]).sort(),
	}));
}

test('after any additions and removals the counts equal those of a new occupancy', () => {
	const step = fc.record({
		uid: fc.constantFrom('1', '2', '3', '4'),
		node: fc.constantFrom('n1', 'n2', undefined),
		app: fc.constantFrom('a', 'b'),
		ends: fc.boolean(),
		loner: fc.boolean(),
	});
	fc.assert(
		fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
			const occupancy = new Occupancy();
			const last = new Map<string, { readonly pod: Pod; readonly node: string }>();
			for (const { uid, node, app, ...more } of steps) {
				everything(occupancy);
				if (node === undefined) {
					assert.equal(occupancy.remove(uid), last.delete(uid));
					continue;
				}
				const pod = variant(uid, app, more);
				occupancy.put(pod, node);
				last.set(uid, { pod, node });
			}
			const fresh = new Occupancy();
			for (const { pod, node } of last.values()) fresh.put(pod, node);
			assert.deepEqual(everything(occupancy), everything(fresh));
			for (const [uid, { node }] of last) assert.equal(occupancy.nodeOf(uid), node);
			for (const uid of last.keys()) occupancy.remove(uid);
			assert.deepEqual(everything(occupancy), everything(new Occupancy()));
		}),
	);
});

test('a query matches each Pod once, including Pods that are added later', () => {
	const occupancy = new Occupancy();
	let asked = 0;
	const question: PodQuestion = { signature: 'q', matches: () => ++asked > 0 };
	for (let i = 0; i < 10; i++) occupancy.put(podOf(), 'n1');
	assert.equal(occupancy.countByNode(question).get('n1'), 10);
	for (let i = 0; i < 100; i++) occupancy.countByNode(question);
	assert.equal(asked, 10);
	occupancy.put(podOf(), 'n1');
	assert.equal(occupancy.countByNode(question).get('n1'), 11);
	assert.equal(asked, 11);
});

test('the number of queries that are kept up to date is limited', () => {
	const occupancy = new Occupancy();
	const asked: string[] = [];
	const ask = (signature: string): void => {
		const matches = (): boolean => asked.push(signature) > 0;
		occupancy.countByNode({ signature, matches });
	};
	occupancy.put(podOf(), 'n1');
	for (let i = 0; i < 100; i++) ask(`q${i}`);
	ask('q0');
	ask('q100');
	asked.length = 0;
	occupancy.put(podOf(), 'n1');
	assert.equal(asked.length, 100);
	assert.ok(asked.includes('q0') && !asked.includes('q1'), 'the one asked longest ago is forgotten');
});

test('a status write changes no counts', () => {
	const occupancy = new Occupancy();
	let asked = 0;
	occupancy.countByNode({ signature: 'q', matches: () => ++asked > 0 });
	const pod = podOf({ metadata: { generation: 1 } });
	occupancy.put(pod, 'n1');
	const ready = {
		...pod,
		metadata: { ...pod.metadata },
		spec: { ...pod.spec },
		status: { phase: 'Running' as const },
	};
	occupancy.put(ready, 'n1');
	assert.equal(asked, 1);
	assert.deepEqual(occupancy.lessImportant('n1', 1), [ready]);
});
