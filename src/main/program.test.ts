import assert from 'node:assert/strict';
import test from 'node:test';
import { cliContext } from './cli-context.ts';
import { makeProgram, withFlagsBehind, withHelpFlag } from './program.ts';

/** The help of each command at a width of 80 columns. */
function helps(first?: string): ReadonlyMap<string, string> {
	const program = makeProgram(cliContext(), () => undefined, first);
	return new Map(
		[program, ...program.commands].map((command) => {
			let text = '';
			command.configureOutput({
				writeOut: (part) => {
					text += part;
				},
				getOutHelpWidth: () => 80,
			});
			command.outputHelp();
			return [command.name(), text];
		}),
	);
}

test('the help of each command fits into 80 columns', () => {
	const found = helps();
	assert.deepEqual([...found.keys()].sort().slice(0, 3), ['apply', 'attach', 'auth']);
	for (const [name, text] of found) {
		// A path cannot be wrapped.
		const wide = text.split('\n').filter((line) => line.length > 80 && !line.includes('/stint'));
		assert.deepEqual(wide, [], name);
	}
});

test('run and server name the variable that sets the default of --runtime', () => {
	for (const name of ['run', 'server']) assert.match(helps().get(name) ?? '', /--runtime.*STINT_RUNTIME/s);
});

test('defaults that are numbers stand without quotes', () => {
	const server = helps().get('server') ?? '';
	assert.match(server, /\(default:\s+6443\)/);
	for (const [name, text] of helps()) assert.doesNotMatch(text, /default:\s+"(\d+|true|false)"/, name);
});

test('a program that is made for one command has the same help for it, and no other command', () => {
	const all = helps();
	const names = [...all.keys()].filter((name) => name !== 'stint' && !name.endsWith('/stint'));
	assert.ok(names.includes('server') && names.includes('run'), names.join());
	for (const name of names) {
		const alone = helps(name);
		assert.equal(alone.size, 2, name);
		assert.equal(alone.get(name), all.get(name));
	}
	for (const first of ['--help', 'help', 'gte', 'constructor']) assert.deepEqual(helps(first), all);
});

test('help of several words is the help of the command that they name', () => {
	const rows: readonly (readonly [args: string, expected: string])[] = [
		['help create job', 'create job --help'],
		['help create secret tls', 'create secret tls --help'],
		['create help cm', 'create cm --help'],
		['create secret help tls', 'create secret tls --help'],
		['help get', 'get --help'],
		['help', 'help'],
		['help nope', 'help nope'],
		['help create nope', 'help create nope'],
		['get help', 'get help'],
		['run help', 'run help'],
		['create job help', 'create job help'],
		['run -f help', 'run -f help'],
		['exec pod -- help', 'exec pod -- help'],
	];
	const program = makeProgram(cliContext(), () => undefined);
	for (const [args, expected] of rows)
		assert.equal(withHelpFlag(program, args.split(' ')).join(' '), expected);
});

test('flags that all commands have may stand before the command', () => {
	const rows: readonly (readonly [args: string, expected: string])[] = [
		['-n jobs get pods', 'get pods -n jobs'],
		['-njobs --kubeconfig=k get pods', 'get pods -njobs --kubeconfig=k'],
		['--namespace jobs exec pod -- ls -n', 'exec pod --namespace jobs -- ls -n'],
		['get -n jobs pods', 'get -n jobs pods'],
		['-n', '-n'],
		['-n jobs', '-n jobs'],
		['--version', '--version'],
	];
	for (const [args, expected] of rows) assert.equal(withFlagsBehind(args.split(' ')).join(' '), expected);
});
