import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { cronjobs } from '../../src/api/batch/cronjob/definition.ts';
import { configMaps } from '../../src/api/core/configmap/definition.ts';
import { secrets } from '../../src/api/core/secret/definition.ts';
import { makeAuthority } from '../../src/apiserver/http/certificates.ts';
import { createAccount } from '../../src/cli/commands/create.ts';
import { createConfigMap } from '../../src/cli/create/config-map.ts';
import { createDisruptionBudget } from '../../src/cli/create/disruption-budget.ts';
import { createJob } from '../../src/cli/create/job.ts';
import { createPriorityClass } from '../../src/cli/create/priority-class.ts';
import { createGenericSecret, createRegistrySecret, createTlsSecret } from '../../src/cli/create/secret.ts';
import { CliWorld, type Ended } from './cli-world.ts';

/**
 * create, for each kind. Output and errors are those that kubectl 1.33 printed for the same arguments, without what
 * changed until 1.37 (`creationTimestamp: null`).
 */

const NONE = { fromFile: [], fromLiteral: [], fromEnvFile: [] };
const DRY = { dryRun: 'client' } as const;

/** A folder with files to read. */
function folderFor(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'stint-create-'));
	t.after(() => rmSync(path, { recursive: true }));
	writeFileSync(join(path, 'text'), 'hi');
	writeFileSync(join(path, 'binary'), Buffer.from([0xb5, 0xff]));
	writeFileSync(join(path, 'env'), '\ufeffA=1\r\n  B=x y \n\n# c\nHERE\n');
	mkdirSync(join(path, 'folder', 'sub'), { recursive: true });
	writeFileSync(join(path, 'folder', 'b'), '1');
	writeFileSync(join(path, 'folder', 'a.txt'), '2');
	symlinkSync('b', join(path, 'folder', 'link'));
	return path;
}

function errorOf({ code, stdout, stderr }: Ended): string {
	assert.deepEqual([code, stdout], [1, '']);
	return stderr.replace(/^error: /, '').replace(/\n$/, '');
}

test('create configmap reads literals, files, folders and lines of variables', async (t) => {
	const world = await CliWorld.open(t);
	const at = folderFor(t);
	const queries: unknown[] = [];
	world.onRequest = ({ query }) => queries.push(query);
	const create = (flags: object): Promise<Ended> =>
		world.run((context) => createConfigMap(context, ['x'], { ...NONE, ...flags }));
	const created = await create({
		fromFile: [`${at}/folder`, `k=${at}/text`, `${at}/binary`],
		fromLiteral: ['l=='],
	});
	assert.equal(created.stdout, 'configmap/x created\n');
	const stored = await world.client.resource(configMaps, 'default').get('x');
	assert.deepEqual(stored.data, { l: '=', 'a.txt': '2', b: '1', k: 'hi' });
	assert.deepEqual(stored.binaryData, { binary: 'tf8=' });
	assert.deepEqual(queries, [{ fieldManager: 'kubectl-create', fieldValidation: 'Strict' }]);
	world.variables.set('HERE', 'there');
	const lines = await create({ fromEnvFile: [`${at}/env`], ...DRY, output: 'yaml' });
	assert.equal(
		lines.stdout,
		'apiVersion: v1\ndata:\n  A: "1"\n  B: \'x y \'\n  HERE: there\nkind: ConfigMap\nmetadata:\n  name: x\n',
	);
	const taken = await create({});
	assert.equal(errorOf(taken), 'failed to create configmap: configmaps "x" already exists');
});

test('create prints dry runs as kubectl, and sends none or says so', async (t) => {
	const world = await CliWorld.open(t);
	const create = (flags: object): Promise<Ended> =>
		world.run((context) =>
			createConfigMap(context, ['x'], { ...NONE, fromLiteral: ['<b>=&', 'a=b'], ...flags }),
		);
	// `<b>` is no key: the check is made before any request.
	assert.match(
		errorOf(await create({ dryRun: 'server' })),
		/^"<b>" is not a valid key name for a ConfigMap: /,
	);
	const literal = (flags: object): Promise<Ended> => create({ fromLiteral: ['b=<&', 'a=b'], ...flags });
	assert.equal((await literal(DRY)).stdout, 'configmap/x created (dry run)\n');
	assert.equal((await literal({ dryRun: 'server' })).stdout, 'configmap/x created (server dry run)\n');
	assert.equal((await literal({ ...DRY, output: 'name' })).stdout, 'configmap/x\n');
	assert.equal((await literal({ ...DRY, output: 'jsonpath={.data.b}' })).stdout, '<&');
	assert.equal(
		(await literal({ ...DRY, output: 'json', namespace: 'n' })).stdout,
		`{
    "kind": "ConfigMap",
    "apiVersion": "v1",
    "metadata": {
        "name": "x",
        "namespace": "n"
    },
    "data": {
        "a": "b",
        "b": "\\u003c\\u0026"
    }
}
`,
	);
	const bare = await literal({ dryRun: true });
	assert.equal(bare.stderr, '--dry-run is deprecated and can be replaced with --dry-run=client.\n');
	assert.equal(bare.stdout, 'configmap/x created (dry run)\n');
	const wrong = await literal({ dryRun: 'foo' });
	assert.equal(errorOf(wrong), 'Invalid dry-run value (foo). Must be "none", "server", or "client".');
	assert.match(errorOf(await literal({ output: 'wide' })), /allowed formats are: json,jsonpath,name,yaml$/);
	await assert.rejects(world.client.resource(configMaps, 'default').get('x'), /not found/);
	assert.match((await literal({ dryRun: 'none', output: 'json' })).stdout, /"uid": "/);
});

test('--append-hash gives the names that kubectl gives', async (t) => {
	const world = await CliWorld.open(t);
	const at = folderFor(t);
	const shared = { ...NONE, ...DRY, appendHash: true, output: 'name' };
	const map = (flags: object): Promise<Ended> =>
		world.run((context) => createConfigMap(context, ['x'], { ...shared, ...flags }));
	assert.equal((await map({ fromLiteral: ['a=b', 'f.txt=hi'] })).stdout, 'configmap/x-8m7d8d9md2\n');
	assert.equal(
		(await map({ fromFile: [`${at}/binary`], fromLiteral: ['a=b'] })).stdout,
		'configmap/x-f6t895f479\n',
	);
	const secret = await world.run((context) =>
		createGenericSecret(context, ['x'], { ...shared, fromLiteral: ['a=b=c'], type: 'my/type' }),
	);
	assert.equal(secret.stdout, 'secret/x-ctf24kh6b7\n');
});

test('create configmap and secret refuse what kubectl refuses, in its words', async (t) => {
	const world = await CliWorld.open(t);
	const at = folderFor(t);
	writeFileSync(join(at, 'bad'), 'a b=1\n');
	const key = `a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`;
	const rows: readonly (readonly [flags: object, map: string, secret?: string])[] = [
		[{ fromLiteral: ['ab'] }, 'invalid literal source ab, expected key=value'],
		[{ fromLiteral: ['=b'] }, 'invalid literal source =b, expected key=value'],
		[
			{ fromLiteral: ['a b=c'] },
			`"a b" is not a valid key name for a ConfigMap: ${key}`,
			`"a b" is not valid key name for a Secret ${key}`,
		],
		[
			{ fromLiteral: ['a=c', 'a=d'] },
			'cannot add key "a", another key by that name already exists in Data for ConfigMap "x"',
			'cannot add key a, another key by that name already exists',
		],
		[
			{ fromFile: [`${at}/binary`, `binary=${at}/text`] },
			'cannot add key "binary", another key by that name already exists in BinaryData for ConfigMap "x"',
			'cannot add key binary, another key by that name already exists',
		],
		[{ fromFile: ['/no/file'] }, 'error reading /no/file: no such file or directory'],
		[{ fromFile: ['k=a=b'] }, "key names or file paths cannot contain '='"],
		[{ fromFile: ['=a'] }, 'key name for file path a missing'],
		[{ fromFile: ['a='] }, 'file path for key name a missing'],
		[{ fromFile: [`k=${at}`] }, 'cannot give a key name for a directory path'],
		[{ fromEnvFile: ['/no/file'] }, 'error reading /no/file: no such file or directory'],
		[{ fromEnvFile: [at] }, 'env config file cannot be a directory', 'env secret file cannot be a directory'],
		[
			{ fromEnvFile: [`${at}/env`], fromLiteral: ['a=b'] },
			'from-env-file cannot be combined with from-file or from-literal',
		],
		[
			{ fromEnvFile: [`${at}/bad`] },
			`"a b" is not a valid key name: a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')`,
		],
		[
			{ fromEnvFile: [`${at}/binary`] },
			`env file ${at}/binary contains invalid utf8 bytes at line 1: [181 255]`,
		],
	];
	for (const [flags, map, secret = map] of rows) {
		const all = { ...NONE, ...flags };
		assert.equal(errorOf(await world.run((context) => createConfigMap(context, ['x'], all))), map);
		assert.equal(errorOf(await world.run((context) => createGenericSecret(context, ['x'], all))), secret);
	}
	const two = await world.run((context) => createConfigMap(context, ['a', 'b'], NONE));
	assert.match(
		errorOf(two),
		/^exactly one NAME is required, got 2\nSee '.*create configmap -h' for help and examples$/,
	);
});

test('create secret makes the Secrets of each type', async (t) => {
	const world = await CliWorld.open(t);
	const stored = async (name: string): Promise<unknown> => {
		const { type, data } = await world.client.resource(secrets, 'default').get(name);
		return { type, data };
	};
	const generic = await world.run((context) =>
		createGenericSecret(context, ['g'], { ...NONE, fromLiteral: ['a=b'] }),
	);
	assert.equal(generic.stdout, 'secret/g created\n');
	assert.deepEqual(await stored('g'), { type: 'Opaque', data: { a: 'Yg==' } });
	const registry = (flags: object): Promise<Ended> =>
		world.run((context) => createRegistrySecret(context, ['r'], { fromFile: [], ...flags }));
	await registry({ dockerUsername: 'u', dockerPassword: 'p<>&' });
	assert.deepEqual(await stored('r'), {
		type: 'kubernetes.io/dockerconfigjson',
		data: {
			'.dockerconfigjson':
				'eyJhdXRocyI6eyJodHRwczovL2luZGV4LmRvY2tlci5pby92MS8iOnsidXNlcm5hbWUiOiJ1IiwicGFzc3dvcmQiOiJwXHUwMDNjXHUwMDNlXHUwMDI2IiwiYXV0aCI6ImRUcHdQRDRtIn19fQ==',
		},
	});
	assert.equal(
		errorOf(await registry({ dockerUsername: 'u', dockerPassword: 'p' })),
		'failed to create secret secrets "r" already exists',
	);
	assert.match(
		errorOf(await registry({ dockerUsername: 'u' })),
		/^either --from-file or the combination of /,
	);
});

test('create secret tls compares the key with the certificate', async (t) => {
	const world = await CliWorld.open(t);
	const at = folderFor(t);
	const write = (name: string, text: string): string => {
		writeFileSync(join(at, name), text);
		return join(at, name);
	};
	const pair = makeAuthority(0);
	const [cert, key] = [write('crt', pair.certificatePem), write('key', pair.keyPem)];
	const create = (flags: object): Promise<Ended> =>
		world.run((context) => createTlsSecret(context, ['x'], { ...DRY, ...flags }));
	assert.equal((await create({ cert, key })).stdout, 'secret/x created (dry run)\n');
	const rows: readonly (readonly [flags: object, error: string])[] = [
		[{ cert }, 'key and cert must be specified'],
		[{ cert: '/no', key }, 'Cannot read file /no, open /no: no such file or directory'],
		[{ cert: `${at}/text`, key }, 'tls: failed to find any PEM data in certificate input'],
		[
			{ cert: key, key },
			'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched',
		],
		[{ cert, key: cert }, 'tls: found a certificate rather than a key in the PEM for the private key'],
		[{ cert, key: write('other', makeAuthority(0).keyPem) }, 'tls: private key does not match public key'],
	];
	for (const [flags, error] of rows) assert.equal(errorOf(await create(flags)), error);
});

test('create priorityclass and poddisruptionbudget print what kubectl prints', async (t) => {
	const world = await CliWorld.open(t);
	const pc = (flags: object): Promise<Ended> =>
		world.run((context) => createPriorityClass(context, ['x'], flags));
	assert.equal(
		(await pc({ value: '1000', globalDefault: true })).stdout,
		'priorityclass.scheduling.k8s.io/x created\n',
	);
	assert.equal(
		(await pc({ description: 'hi', value: '7', ...DRY, output: 'yaml', namespace: 'n' })).stdout,
		'apiVersion: scheduling.k8s.io/v1\ndescription: hi\nkind: PriorityClass\nmetadata:\n  name: x\npreemptionPolicy: PreemptLowerPriority\nvalue: 7\n',
	);
	assert.match(
		errorOf(await pc({ value: 'abc' })),
		/^invalid argument "abc" for "--value" flag: strconv.ParseInt: parsing "abc": invalid syntax\n/,
	);
	assert.match(errorOf(await pc({ value: '9999999999' })), /parsing "9999999999": value out of range\n/);
	assert.match(
		errorOf(await pc({ globalDefault: 'maybe' })),
		/strconv.ParseBool: parsing "maybe": invalid syntax\n/,
	);
	const pdb = (flags: object): Promise<Ended> =>
		world.run((context) => createDisruptionBudget(context, ['x'], { selector: 'a=b', ...flags }));
	assert.equal((await pdb({ minAvailable: '1' })).stdout, 'poddisruptionbudget.policy/x created\n');
	assert.equal(
		(await pdb({ selector: 'a=b,c in (e,d),!f', maxUnavailable: '50%', ...DRY, output: 'jsonpath={.spec}' }))
			.stdout,
		'{"maxUnavailable":"50%","selector":{"matchExpressions":[{"key":"c","operator":"In","values":["d","e"]},{"key":"f","operator":"DoesNotExist"}],"matchLabels":{"a":"b"}}}',
	);
	const rows: readonly (readonly [flags: object, error: string])[] = [
		[{ selector: '' }, 'a selector must be specified'],
		[{}, 'one of min-available or max-unavailable must be specified'],
		[
			{ minAvailable: '1', maxUnavailable: '1' },
			'min-available and max-unavailable cannot be both specified',
		],
		[{ minAvailable: '1x' }, 'invalid format specified for min-available'],
		[{ maxUnavailable: '-1' }, 'invalid format specified for max-unavailable'],
		[{ minAvailable: '1', selector: 'a!=b' }, '"!=" is not a valid label selector operator'],
		[{ minAvailable: '1', selector: 'a>1' }, '"gt" isn\'t supported in label selectors'],
	];
	for (const [flags, error] of rows) assert.equal(errorOf(await pdb(flags)), error);
	assert.match(
		errorOf(await pdb({ minAvailable: '1', selector: 'a=b c' })),
		/^couldn't parse the selector string "a=b c": /,
	);
});

test('create job makes a Job from an image, or from a CronJob that owns it', async (t) => {
	const world = await CliWorld.open(t);
	const create = (flags: object, command: readonly string[] = [], names = ['x']): Promise<Ended> =>
		world.run((context) => createJob(context, { names, command }, flags));
	assert.equal(
		(await create({ image: 'busybox', ...DRY, output: 'yaml' }, ['date', '-u'])).stdout,
		'apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: x\nspec:\n  template:\n    metadata: {}\n    spec:\n      containers:\n      - command:\n        - date\n        - -u\n        image: busybox\n        name: x\n        resources: {}\n      restartPolicy: Never\nstatus: {}\n',
	);
	const template = {
		metadata: { labels: { app: 'a' }, annotations: { note: 'n' } },
		spec: {
			template: { spec: { containers: [{ name: 'c', image: 'busybox' }], restartPolicy: 'Never' } },
		},
	};
	const spec = { schedule: '0 3 * * *', jobTemplate: template };
	const body = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'nightly' }, spec };
	const path = '/apis/batch/v1/namespaces/default/cronjobs';
	await world.client.transport.request({ method: 'POST', path, body });
	const cronJob = await world.client.resource(cronjobs, 'default').get('nightly');
	assert.equal((await create({ from: 'cj/nightly' })).stdout, 'job.batch/x created\n');
	const { metadata, spec: made } = await world.job('x');
	assert.deepEqual(
		[metadata.labels?.app, metadata.annotations],
		['a', { 'cronjob.kubernetes.io/instantiate': 'manual', note: 'n' }],
	);
	assert.deepEqual(metadata.ownerReferences, [
		{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: cronJob.metadata.uid, controller: true },
	]);
	assert.equal(made.template.spec.containers[0]?.image, 'busybox');
	const rows: readonly (readonly [flags: object, error: string, command?: readonly string[]])[] = [
		[{}, 'either --image or --from must be specified'],
		[{ image: 'b', from: 'cronjob/x' }, 'either --image or --from must be specified'],
		[{ from: 'cronjob/x' }, 'cannot specify --from and command', ['a']],
		[{ from: 'cronjobs' }, 'resource(s) were provided, but no name was specified'],
		[{ from: 'job/x' }, 'unknown object type *v1.Job'],
		[{ image: 'b' }, 'failed to create job: jobs.batch "x" already exists'],
	];
	for (const [flags, error, command] of rows) assert.equal(errorOf(await create(flags, command)), error);
	const missing = await create({ from: 'cronjob/none' }, [], ['y']);
	assert.equal(missing.stderr, 'Error from server (NotFound): cronjobs.batch "none" not found\n');
});

test('create serviceaccount has the flags of the others', async (t) => {
	const world = await CliWorld.open(t);
	const create = (flags: object): Promise<Ended> =>
		world.run((context) => createAccount(context, ['x'], flags));
	assert.equal((await create(DRY)).stdout, 'serviceaccount/x created (dry run)\n');
	assert.equal((await create({ output: 'name' })).stdout, 'serviceaccount/x\n');
	assert.equal(
		errorOf(await create({})),
		'failed to create serviceaccount: serviceaccounts "x" already exists',
	);
});
