import assert from 'node:assert/strict';
import test from 'node:test';
import type { Authorizer } from '../../src/apiserver/access/authorizer.ts';
import { rulesTable } from '../../src/cli/auth/rules-table.ts';
import { type CanIFlags, canI, whoAmI } from '../../src/cli/commands/auth.ts';
import { CliWorld, type Ended } from './cli-world.ts';

/** auth can-i and auth whoami, with the output of kubectl 1.33. */

test('can-i asks about a resource in the namespace, or about a path', async (t) => {
	const world = await CliWorld.open(t);
	const specs: unknown[] = [];
	world.onRequest = ({ body }) => specs.push(Object(body).spec);
	const ask = (words: readonly string[], flags: CanIFlags = {}): Promise<Ended> =>
		world.run((context) => canI(context, words, flags));
	assert.deepEqual(await ask(['create', 'jobs']), { code: 0, stdout: 'yes\n', stderr: '' });
	await ask(['get', 'po/a'], { namespace: 'n', subresource: 'log' });
	await ask(['list', 'pods'], { allNamespaces: true });
	await ask(['get', '/metrics']);
	await ask(['*', '*']);
	await ask(['create', 'selfsubjectreviews.authentication.k8s.io'], { allNamespaces: true });
	const resource = (attributes: object): object => ({
		resourceAttributes: { namespace: 'default', group: '', subresource: '', name: '', ...attributes },
	});
	assert.deepEqual(specs, [
		resource({ verb: 'create', group: 'batch', resource: 'jobs' }),
		resource({ namespace: 'n', verb: 'get', resource: 'pods', subresource: 'log', name: 'a' }),
		resource({ namespace: '', verb: 'list', resource: 'pods' }),
		{ nonResourceAttributes: { verb: 'get', path: '/metrics' } },
		resource({ verb: '*', resource: '*' }),
		resource({
			namespace: '',
			verb: 'create',
			group: 'authentication.k8s.io',
			resource: 'selfsubjectreviews',
		}),
	]);
});

test('can-i warns about what the server does not know, and asks nevertheless', async (t) => {
	const world = await CliWorld.open(t);
	const ask = async (words: readonly string[], flags: CanIFlags = {}): Promise<string> => {
		const { stdout, stderr } = await world.run((context) => canI(context, words, flags));
		assert.equal(stdout, flags.quiet ? '' : 'yes\n');
		return stderr;
	};
	assert.equal(await ask(['list', 'nodes']), "Warning: resource 'nodes' is not namespace scoped\n\n");
	assert.equal(
		await ask(['get', 'priorityclasses']),
		"Warning: resource 'priorityclasses' is not namespace scoped in group 'scheduling.k8s.io'\n\n",
	);
	assert.equal(
		await ask(['foo', 'bars.x.io'], { quiet: true }),
		"Warning: the server doesn't have a resource type 'bars' in group 'x.io'\n\nWarning: verb 'foo' is not a known verb\n\n",
	);
	assert.equal(await ask(['impersonate', 'users']), '');
	assert.equal(await ask(['list', '/x']), "Warning: verb 'list' is not a known verb\n\n");
});

test('can-i fails if the action is not allowed, with the reason', async (t) => {
	const authorizer: Authorizer = {
		authorize: ({ verb }) =>
			verb === 'deletecollection' ? { allowed: false, reason: 'no rule matches' } : { allowed: true },
	};
	const world = await CliWorld.open(t, { authorizer });
	const no = await world.run((context) => canI(context, ['deletecollection', 'pods'], {}));
	assert.deepEqual([no.code, no.stdout], [1, 'no - no rule matches\n']);
	const quiet = await world.run((context) => canI(context, ['deletecollection', 'pods'], { quiet: true }));
	assert.deepEqual([quiet.code, quiet.stdout], [1, '']);
});

test('can-i refuses flags that contradict each other', async (t) => {
	const world = await CliWorld.open(t);
	const rows: readonly (readonly [words: readonly string[], flags: CanIFlags, error: RegExp])[] = [
		[
			['get'],
			{},
			/^error: you must specify two arguments: verb resource or verb resource\/resourceName\.\nSee '/,
		],
		[['get', 'pods', 'x'], {}, /two arguments/],
		[['get', 'pods'], { list: true }, /^error: list option must be specified with no arguments\n/],
		[
			[],
			{ list: true, quiet: true },
			/list option can't be specified with neither quiet, all-namespaces nor/,
		],
		[['get', '/x'], { subresource: 'log' }, /--subresource can not be used with NonResourceURL/],
		[['get', 'pods'], { headers: false }, /--no-headers cannot be set without --list specified/],
	];
	for (const [words, flags, error] of rows) {
		const { code, stderr } = await world.run((context) => canI(context, words, flags));
		assert.equal(code, 1);
		assert.match(stderr, error);
	}
});

test('can-i --list prints the rules', async (t) => {
	const world = await CliWorld.open(t);
	const list = async (flags: CanIFlags): Promise<string> =>
		(await world.run((context) => canI(context, [], { list: true, ...flags }))).stdout;
	const rows =
		'*.*         []                  []               [*]\n            [*]                 []               [*]\n';
	assert.equal(await list({}), `Resources   Non-Resource URLs   Resource Names   Verbs\n${rows}`);
	assert.equal((await list({ headers: false })).split('\n').length, 3);
});

test('rules of one resource are combined, and sorted by their verbs', () => {
	const status = {
		resourceRules: [
			{ verbs: ['get'], apiGroups: ['', 'x.io'], resources: ['pods/log'], resourceNames: ['a', 'b'] },
			{ verbs: ['list', 'get'], apiGroups: [''], resources: ['jobs'] },
			{ verbs: ['create', 'get'], apiGroups: [''], resources: ['jobs'] },
		],
		nonResourceRules: [{ verbs: ['get', 'head'], nonResourceURLs: ['/a'] }],
		incomplete: false,
	};
	assert.equal(
		rulesTable(status, false),
		`                [/a]   []    [get]
pods/log        []     [a]   [get]
pods/log        []     [b]   [get]
pods.x.io/log   []     [a]   [get]
pods.x.io/log   []     [b]   [get]
                [/a]   []    [head]
jobs            []     []    [list get create]
`,
	);
});

test('whoami prints the user', async (t) => {
	const world = await CliWorld.open(t);
	const table = await world.run((context) => whoAmI(context, {}));
	assert.match(
		table.stdout,
		/^ATTRIBUTE {3}VALUE\nUsername {4}system:apiserver\nGroups {6}\[system:masters system:authenticated\]\n$/,
	);
	const json = await world.run((context) => whoAmI(context, { output: 'json' }));
	assert.match(
		json.stdout,
		/^\{\n {4}"kind": "SelfSubjectReview",\n {4}"apiVersion": "authentication.k8s.io\/v1",\n/,
	);
	const path = await world.run((context) =>
		whoAmI(context, { output: 'jsonpath={.status.userInfo.username}' }),
	);
	assert.equal(path.stdout, 'system:apiserver');
	assert.match(
		(await world.run((context) => whoAmI(context, { output: 'name' }))).stderr,
		/json,jsonpath,yaml\n$/,
	);
});
