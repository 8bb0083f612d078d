import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { serviceCidrs } from './definition.ts';
import { type ServiceCidr, serviceCidrSchema } from './schema.ts';

function cidr(cidrs: readonly string[], status: object = {}, metadata: object = {}): ServiceCidr {
	const json = {
		metadata: { name: 'a', uid: 'u', resourceVersion: '1', ...metadata },
		spec: { cidrs },
		status,
	};
	return serviceCidrs.defaults(decode(serviceCidrSchema, json).value);
}

const { strategy, status, columns } = serviceCidrs;

function texts(errors: ReturnType<typeof strategy.validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

const FAMILIES = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';

test('a create is refused for each broken rule with the text of upstream', () => {
	const rows: readonly (readonly [readonly string[], string])[] = [
		[['10.0.0.0/16'], ''],
		[['10.0.0.0/16', '2001:db8::/64'], ''],
		[[], 'spec.cidrs: Required value: at least one CIDR required'],
		[
			['10.0.0.0/16', '2001:db8::/64', '10.1.0.0/16'],
			'spec.cidrs: Invalid value: {"CIDRs":["10.0.0.0/16","2001:db8::/64","10.1.0.0/16"]}: may only hold up to 2 values',
		],
		[
			['x'],
			'spec.cidrs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
		],
		[
			['10.0.0.1/16'],
			'spec.cidrs[0]: Invalid value: "10.0.0.1/16": must not have bits set beyond the prefix length',
		],
		[
			['2001:DB8::/64'],
			'spec.cidrs[0]: Invalid value: "2001:DB8::/64": must be in canonical form ("2001:db8::/64")',
		],
		[['10.0.0.0/16', '10.1.0.0/16'], `spec.cidrs: Invalid value: ["10.0.0.0/16","10.1.0.0/16"]: ${FAMILIES}`],
	];
	for (const [cidrs, text] of rows) {
		assert.equal(texts(strategy.validateCreate(cidr(cidrs))).join('; '), text, cidrs.join());
	}
});

test('an update can add a range of the other family, and nothing else', () => {
	const change = (before: readonly string[], after: readonly string[]): readonly string[] =>
		texts(strategy.validateUpdate(cidr(after), cidr(before)));
	const [a, b, six] = ['10.0.0.0/16', '10.1.0.0/16', '2001:db8::/64'];
	assert.deepEqual(change([a], [a]), []);
	assert.deepEqual(change([a], [a, six]), []);
	assert.deepEqual(change([a], [b]), ['spec.cidrs[0]: Invalid value: "10.1.0.0/16": field is immutable']);
	assert.deepEqual(change([a], [b, six]), [
		'spec.cidrs[0]: Invalid value: "10.1.0.0/16": field is immutable',
	]);
	assert.deepEqual(change([a], [a, b]), [
		`spec.cidrs: Invalid value: ["10.0.0.0/16","10.1.0.0/16"]: ${FAMILIES}`,
	]);
	assert.deepEqual(change([a, six], [a]), ['spec.cidrs: Invalid value: ["10.0.0.0/16"]: field is immutable']);
});

test('the object cannot set the status, and its status nothing else', () => {
	const ready = { conditions: [{ type: 'Ready', status: 'True', reason: '', message: '' }] };
	const old = cidr(['10.0.0.0/16'], {}, { finalizers: ['a/b'], labels: { a: 'b' } });
	assert.deepEqual(strategy.prepareForCreate(cidr(['10.0.0.0/16'], ready)).status, {});
	assert.deepEqual(strategy.prepareForUpdate(cidr(['10.0.0.0/16'], ready), old).status, {});
	const given = cidr(['10.1.0.0/16'], ready, { resourceVersion: '7', labels: { c: 'd' } });
	const written = status?.prepareForUpdate(given, old);
	assert.deepEqual(written?.spec, old.spec);
	assert.equal(written?.status.conditions?.[0]?.type, 'Ready');
	assert.deepEqual(written?.metadata, { ...old.metadata, resourceVersion: '7' });
});

test('the printer columns are those of kubectl', () => {
	const cells = columns.map(({ cell }) => cell(cidr(['10.0.0.0/16', '2001:db8::/64']), 0));
	assert.deepEqual(cells, ['a', '10.0.0.0/16,2001:db8::/64', '<unknown>']);
});
