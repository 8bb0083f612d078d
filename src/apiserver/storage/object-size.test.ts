import assert from 'node:assert/strict';
import test from 'node:test';
import { isApiError } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { checkSize, type SizedWrite } from './object-size.ts';

const MIB = 1024 * 1024;

/** An object with this many values in all. */
function objectOf(values: number, fields: object = {}, metadata: object = {}): KubeObject {
	const own = { apiVersion: 'v1', kind: 'Pod', ...fields, metadata: { labels: {}, ...metadata } };
	const labels = Object.fromEntries(
		Array.from({ length: values - countOf(own) }, (_, index) => [`k${index}`, 'v']),
	);
	return { ...own, metadata: { ...own.metadata, labels } };
}

function countOf(value: unknown): number {
	if (typeof value !== 'object' || value === null) return 0;
	return Object.values(value).reduce((sum: number, one) => sum + 1 + countOf(one), 0);
}

interface Sized {
	readonly object: KubeObject;
	readonly bytes?: number;
}

interface Judged {
	readonly old?: Sized;
	readonly subresource?: string;
	readonly definition?: SizedWrite['definition'];
}

/** The error message of the write; empty if it is accepted. */
function refusal(next: Sized, { old, subresource = '', definition = {} }: Judged = {}): string {
	const encoded = ({ object, bytes }: Sized) => ({
		object,
		value: new Uint8Array(bytes ?? JSON.stringify(object).length),
	});
	try {
		checkSize({ definition, subresource, next: encoded(next), old: old && encoded(old) });
		return '';
	} catch (error) {
		assert.ok(isApiError(error, 'RequestEntityTooLarge'));
		return error.message;
	}
}

const OWNER = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u', controller: true };

test('the fields that an author writes may have 1.5 MiB and 20,000 values', () => {
	assert.equal(refusal({ object: objectOf(10), bytes: 1.5 * MIB }), '');
	assert.equal(
		refusal({ object: objectOf(10), bytes: 1.5 * MIB + 1 }),
		'Request entity too large: limit is 1572864, the object takes 1572865 bytes',
	);
	assert.equal(refusal({ object: objectOf(20_000) }), '');
	assert.match(refusal({ object: objectOf(20_001) }), /: more than 20000 values, including the defaults/);
});

test('fields that controllers write do not count towards the limit of the author', () => {
	const definition = { controllerFields: [['spec', 'taints']] };
	const taints = Array.from({ length: 100 }, (_, index) => ({ key: `t${index}`, effect: 'NoSchedule' }));
	const full = objectOf(20_000);
	const metadata = {
		...full.metadata,
		...{ ownerReferences: [{ ...OWNER, controller: false }], finalizers: ['a/b'], generation: 2 },
		...{ deletionTimestamp: '2026-01-31T08:00:00Z', deletionGracePeriodSeconds: 30 },
	};
	const status = { conditions: taints };
	assert.equal(refusal({ object: { ...full, ...{ status }, metadata } }, { definition }), '');
	const tainted = (values: number) => ({ object: objectOf(values, { spec: { taints } }) });
	assert.equal(refusal(tainted(20_301), { definition }), '');
	assert.match(refusal(tainted(20_302), { definition }), /more than 20000 values/);
	assert.match(refusal(tainted(20_301)), /more than 20000 values/);
});

test('with those fields, or if it has a controller, an object may have 2 MiB and 50,000 values', () => {
	const finalizers = Array.from({ length: 49_000 }, (_, index) => `f${index}`);
	const many = (values: number) => ({ object: objectOf(values, {}, { finalizers }) });
	assert.equal(refusal(many(50_000)), '');
	assert.match(refusal(many(50_001)), /more than 50000 values/);
	const generated = (values: number) => ({ object: objectOf(values, {}, { ownerReferences: [OWNER] }) });
	assert.equal(refusal(generated(50_000)), '');
	assert.match(refusal(generated(50_001)), /more than 50000 values/);
	assert.equal(refusal({ ...generated(100), bytes: 2 * MIB }), '');
	assert.match(refusal({ ...generated(100), bytes: 2 * MIB + 1 }), /limit is 2097152/);
});

test('with its status, also written by a subresource, an object may have 6 MiB and 160,000 values', () => {
	const status = { conditions: Array.from({ length: 139_997 }, () => 'x') };
	const told = (values: number) => ({ object: objectOf(values, { status }) });
	for (const subresource of ['', 'status', 'binding', 'eviction', 'finalize']) {
		assert.equal(refusal(told(160_000 - 1), { subresource }), '');
		assert.match(refusal(told(160_001 + 1), { subresource }), /more than \d+ values/);
	}
	assert.equal(refusal({ object: objectOf(10), bytes: 6 * MIB }, { subresource: 'status' }), '');
	assert.match(refusal({ object: objectOf(10), bytes: 6 * MIB + 1 }, { subresource: 'status' }), /6291456/);
});

test('an update of an object beyond a limit may not make it larger, in bytes or in values', () => {
	const old = { object: objectOf(30_000), bytes: 3 * MIB };
	assert.equal(refusal(old, { old }), '');
	assert.equal(refusal({ object: objectOf(29_999), bytes: 3 * MIB - 1 }, { old }), '');
	assert.match(refusal({ ...old, bytes: 3 * MIB + 1 }, { old }), /bytes$/);
	assert.match(refusal({ ...old, object: objectOf(30_001) }, { old }), /values/);
});
