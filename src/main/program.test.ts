import assert from 'node:assert/strict';
import test from 'node:test';
import { cliContext } from './cli-context.ts';
import { makeProgram } from './program.ts';

/** The help of each command at a width of 80 columns. */
function helps(): ReadonlyMap<string, string> {
	const program = makeProgram(cliContext(), () => undefined);
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
	assert.deepEqual([...found.keys()].sort().slice(0, 3), ['apply', 'attach', 'cp']);
	for (const [name, text] of found) {
		// A path cannot be wrapped.
		const wide = text.split('\n').filter((line) => line.length > 80 && !line.includes('/stint'));
		assert.deepEqual(wide, [], name);
	}
});

test('defaults that are numbers stand without quotes', () => {
	const server = helps().get('server') ?? '';
	assert.match(server, /\(default:\s+6443\)/);
	for (const [name, text] of helps()) assert.doesNotMatch(text, /default:\s+"(\d+|true|false)"/, name);
});
