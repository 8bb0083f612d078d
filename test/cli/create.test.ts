import assert from 'node:assert/strict';
import test from 'node:test';
import { createAccount, createToken } from '../../src/cli/commands/create.ts';
import { CliWorld, type Ended } from './cli-world.ts';

/** create serviceaccount and create token, with the output and the errors of kubectl. */

test('create serviceaccount creates the account', async (t) => {
	const world = await CliWorld.open(t);
	const create = (names: readonly string[]): Promise<Ended> =>
		world.run((context) => createAccount(context, names, {}));
	assert.equal((await create(['builder'])).stdout, 'serviceaccount/builder created\n');
	const taken = await create(['builder']);
	assert.deepEqual(
		[taken.code, taken.stderr],
		[1, 'error: failed to create serviceaccount: serviceaccounts "builder" already exists\n'],
	);
	assert.match((await create([])).stderr, /^error: exactly one NAME is required, got 0\nSee '/);
});

test('create token prints a token, or the whole response', async (t) => {
	const world = await CliWorld.open(t);
	const create = (flags: object = {}, names: readonly string[] = ['builder']): Promise<Ended> =>
		world.run((context) => createToken(context, names, { audience: [], ...flags }));
	await world.run((context) => createAccount(context, ['builder'], {}));
	assert.match((await create()).stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
	const { stdout } = await create({ output: 'json', duration: '10m', audience: ['vault'] });
	const { spec } = JSON.parse(stdout);
	assert.deepEqual([spec.expirationSeconds, spec.audiences], [600, ['vault']]);
	assert.match((await create({ output: 'yaml' })).stdout, /\nkind: TokenRequest\n/);
	const rows: readonly (readonly [flags: object, error: string])[] = [
		[
			{ duration: 'abc' },
			'invalid argument "abc" for "--duration" flag: time: invalid duration "abc"\nSee \'stint create token --help\' for usage.',
		],
		[{ duration: '-1s' }, '--duration must be greater than or equal to 0'],
		[{ duration: '1500ms' }, '--duration cannot be expressed in units less than seconds'],
		[{ boundObjectName: 'p' }, '--bound-object-name can only be set if --bound-object-kind is provided'],
		[{ boundObjectUid: 'u' }, '--bound-object-uid can only be set if --bound-object-kind is provided'],
		[
			{ boundObjectKind: 'Job', boundObjectName: 'p' },
			'supported --bound-object-kind values are Node, Pod, Secret',
		],
		[{ boundObjectKind: 'Pod' }, '--bound-object-name is required if --bound-object-kind is provided'],
		[{ boundObjectKind: 'Pod', boundObjectName: 'p' }, 'failed to create token: pods "p" not found'],
		[
			{ duration: '5m' },
			'failed to create token: TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 300: may not specify a duration less than 10 minutes',
		],
	];
	for (const [flags, error] of rows) {
		const { code, stderr } = await create(flags);
		assert.deepEqual([code, stderr], [1, `error: ${error}\n`]);
	}
	assert.match((await create({}, ['a', 'b'])).stderr, /^error: exactly one NAME is required, got 2\nSee '/);
	assert.match((await create({ output: 'wide' })).stderr, /allowed formats are: json,yaml\n$/);
});
