import assert from 'node:assert/strict';
import test from 'node:test';
import { Command } from 'commander';
import { registerCommands } from '../../src/cli/commands.ts';
import type { CliContext } from '../../src/cli/context.ts';
import { CliWorld, type Ended } from './cli-world.ts';

/** The command lines of create, run and auth: how words and flags reach the commands. */

/** Runs a command line; what follows `stint`. */
function line(world: CliWorld, ...words: readonly string[]): Promise<Ended> {
	return world.run(
		(context) =>
			new Promise<number>((resolve, reject) => {
				const program = new Command('stint');
				registerCommands(program, context, { finish: resolve, only: words[0] });
				program.parseAsync(['node', 'stint', ...words]).catch(reject);
			}),
	);
}

const DRY = [
	'--dry-run=client',
	'-o',
	'jsonpath={.metadata.namespace} {.data} {.spec.template.spec.containers}',
];

test('the words after -- are the command of a Job, and flags of create may stand anywhere', async (t) => {
	const world = await CliWorld.open(t);
	const container = '[{"command":["date","-u"],"image":"busybox","name":"x","resources":{}}]';
	const job = ['job', 'x', '--image', 'busybox', ...DRY];
	const after = await line(world, 'create', ...job, '-n', 'n', '--', 'date', '-u');
	assert.deepEqual(after, { code: 0, stdout: `n  ${container}`, stderr: '' });
	const before = await line(world, 'create', '-n', 'n', ...job, '--', 'date', '-u');
	assert.equal(before.stdout, after.stdout);
	const undashed = await line(world, 'create', ...job, 'date');
	assert.match(undashed.stderr, /^error: exactly one NAME is required, got 2\n/);
	const unnamed = await line(world, 'create', 'job', '--image', 'busybox', '--', 'date');
	assert.match(unnamed.stderr, /^error: exactly one NAME is required, got 0\n/);
});

test('literals are repeated, and keep their commas; files are lists', async (t) => {
	const world = await CliWorld.open(t);
	const literals = await line(
		world,
		'create',
		'cm',
		'x',
		'--from-literal=a=1,2',
		'--from-literal',
		'b=',
		...DRY,
	);
	assert.equal(literals.stdout, ' {"a":"1,2","b":""} ');
	const secret = await line(
		world,
		'create',
		'secret',
		'generic',
		'x',
		'--from-literal=a=b',
		'-n',
		'n',
		...DRY,
	);
	assert.equal(secret.stdout, 'n {"a":"Yg=="} ');
	const files = await line(world, 'create', 'configmap', 'x', '--from-file=/no/a,/no/b', ...DRY);
	assert.equal(files.stderr, 'error: error reading /no/a: no such file or directory\n');
});

test('auth passes its flags on, and ends with the exit code of the command', async (t) => {
	const world = await CliWorld.open(t);
	const specs: unknown[] = [];
	world.onRequest = ({ body }) => specs.push(Object(body).spec);
	assert.equal((await line(world, 'auth', 'can-i', 'get', 'pods', '-n', 'n', '-q')).stdout, '');
	assert.match(JSON.stringify(specs), /"namespace":"n"/);
	assert.equal((await line(world, 'auth', 'can-i', '--list', '--no-headers')).stdout.split('\n').length, 3);
	assert.equal((await line(world, 'auth', 'can-i', 'get')).code, 1);
});

test('the name of a run stands before --', async (t) => {
	const world = await CliWorld.open(t);
	const unnamed = await line(world, 'run', '--image', 'busybox', '--', 'echo', 'hi');
	assert.match(unnamed.stderr, /^error: NAME is required for run\n/);
	const dry = ['run', 'x', '--image', 'busybox', '--dry-run=client', '-o', 'json', '--', 'echo', 'hi'];
	assert.match((await line(world, ...dry)).stdout, /"args": \[\s*"echo",\s*"hi"\s*\]/);
});

test('an unknown command is answered with the ones that there are', async (t) => {
	const world = await CliWorld.open(t);
	const errors = async (...words: readonly string[]): Promise<string> => {
		let text = '';
		const program = new Command('stint').exitOverride().configureOutput({
			writeErr: (part) => {
				text += part;
			},
		});
		const command = async (context: CliContext): Promise<number> => {
			registerCommands(program, context, { finish: () => undefined, only: words[0] });
			await assert.rejects(program.parseAsync(['node', 'stint', ...words]), {
				code: 'commander.unknownCommand',
			});
			return 1;
		};
		await world.run(command);
		return text;
	};
	assert.match(
		await errors('create', 'ingress', 'x'),
		/^error: unknown command 'ingress'\nhint: the commands of create: configmap, .*, token; other kinds: stint apply -f FILE\n$/,
	);
	assert.match(
		await errors('create', 'secret', 'x'),
		/\nhint: the commands of create secret: generic, tls, docker-registry\n$/,
	);
	assert.match(
		await errors('images', '--image-dir', 'x', 'inspect', 'y'),
		/^error: unknown command 'inspect'\nhint: the commands of images: pull, .*, tag\n$/,
	);
});
