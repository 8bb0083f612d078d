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
		['get pods -w=true --all-namespaces=false', 'get pods --watch'],
		['get pods --watch=T -n=jobs', 'get pods --watch -n jobs'],
		['get pods --namespace=jobs -lapp=x', 'get pods --namespace=jobs -lapp=x'],
		['get jobs -w --watch=false', 'get jobs'],
		['get jobs --no-headers=true --show-labels=1', 'get jobs --no-headers --show-labels'],
		['get jobs --no-headers=false', 'get jobs'],
		['describe job x --show-events=false', 'describe job x --no-show-events'],
		['describe job x --show-events=true', 'describe job x'],
		['run x --dry-run=client --image=a=b', 'run x --dry-run=client --image=a=b'],
		['run x --comand=true', 'run x --comand'],
		['run x --env --foo=bar --image=y', 'run x --env --foo=bar --image=y'],
		['exec pod -i=1 -- prog -t=x --stdin=0', 'exec pod --stdin -- prog -t=x --stdin=0'],
		['exec pod -it=true -- prog', 'exec pod -i --tty -- prog'],
		// The flags of a group of commands are also those of its commands.
		['create job x --namespace=z --image=y', 'create job x --namespace=z --image=y'],
		['create job x --image=y -n=z --kubeconfig=/k', 'create job x --image=y -n z --kubeconfig=/k'],
		['top pods --namespace=jobs --kubeconfig=/k', 'top pods --namespace=jobs --kubeconfig=/k'],
		['rollout undo deploy/x --kubeconfig=prod', 'rollout undo deploy/x --kubeconfig=prod'],
		// A value is no command.
		[
			'create -n job secret generic x --from-literal=a=b',
			'create -n job secret generic x --from-literal=a=b',
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
