import assert from 'node:assert/strict';
import test from 'node:test';
import { withFlagsBehind, withHelpFlag, withPlainFlags } from './arguments.ts';
import { cliContext } from './cli-context.ts';
import { makeProgram } from './program.ts';

test('help of several words is the help of the command that they name', () => {
	const rows: readonly (readonly [args: string, expected: string])[] = [
		['help create job', 'create job --help'],
		['help create secret tls', 'create secret tls --help'],
		['create help cm', 'create cm --help'],
		['create secret help tls', 'create secret tls --help'],
		['help get', 'get --help'],
		['help', 'help'],
		['help nope', 'nope'],
		['help create nope', 'create nope'],
		['help get nope', 'get --help'],
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

test('flags may have values as kubectl accepts them', () => {
	const rows: readonly (readonly [args: string, expected: string])[] = [
		['get pods -w=true --all-namespaces=false', 'get pods -w'],
		['get pods --watch=T -n=jobs', 'get pods --watch -n jobs'],
		['get pods --namespace=jobs -lapp=x', 'get pods --namespace=jobs -lapp=x'],
		['run x --dry-run=client --image=a=b', 'run x --dry-run=client --image=a=b'],
		['run x --comand=true', 'run x --comand'],
		['exec pod -i=1 -- prog -t=x --stdin=0', 'exec pod -i -- prog -t=x --stdin=0'],
		[
			'create secret generic x --dry-run=client --nope=false',
			'create secret generic x --dry-run=client --nope',
		],
	];
	const program = makeProgram(cliContext(), () => undefined);
	for (const [args, expected] of rows)
		assert.equal(withPlainFlags(program, args.split(' ')).join(' '), expected);
});

test('a value that is no boolean is an error with the words of kubectl', () => {
	const program = makeProgram(cliContext(), () => undefined);
	let said = '';
	for (const command of program.commands) {
		command.configureOutput({
			writeErr: (text) => {
				said += text;
			},
		});
		command.exitOverride();
	}
	assert.throws(() => withPlainFlags(program, ['get', 'pods', '-w=maybe']));
	assert.match(
		said,
		/^error: invalid argument "maybe" for "-w, --watch" flag: strconv\.ParseBool: parsing "maybe": invalid syntax\n/,
	);
});
