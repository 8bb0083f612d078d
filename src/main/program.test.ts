import assert from 'node:assert/strict';
import test from 'node:test';
import { cliContext } from './cli-context.ts';
import { makeProgram } from './program.ts';

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

test('an unknown command that kubectl has leads to kubectl', () => {
	const hintOf = (word: string): string => {
		const program = makeProgram(cliContext(), () => undefined, word).exitOverride();
		let said = '';
		program.configureOutput({
			writeErr: (text) => {
				said += text;
			},
		});
		assert.throws(() => program.parse([word], { from: 'user' }));
		return said;
	};
	assert.match(
		hintOf('wait'),
		/^error: unknown command 'wait'\nhint: "kubectl wait" works .* kubeconfig is \/.*\n$/,
	);
	assert.match(hintOf('frob'), /^error: unknown command 'frob'\nhint: the commands are listed by: /);
});
