import { setProgramName } from '../cli/called-as.ts';
import { cliContext } from './cli-context.ts';
import { makeProgram } from './program.ts';
import { programName } from './program-name.ts';
import { exitDrained, watchStandardStreams } from './standard-streams.ts';

/** The exit code of Node for a program that waits for something which can no longer happen. */
const EXIT_UNSETTLED = 13;

// The bundle is a CommonJS script, so there is no `await` at the top level here. Node would report such an
// await that never settles; this reports a `main` that never does.
process.once('exit', (code) => {
	if (code !== 0 || process.exitCode !== undefined) return;
	process.exitCode = EXIT_UNSETTLED;
	process.stderr.write('error: ended although its work was not done; this is a mistake in stint\n');
});
void main();

async function main(): Promise<void> {
	watchStandardStreams();
	setProgramName(() => programName(process.env));
	if (process.argv.length <= 2) {
		const { firstUse } = await import('../cli/first-use.ts');
		process.stdout.write(firstUse());
		return await exitDrained(0);
	}
	const program = makeProgram(cliContext(), (code) => {
		process.exitCode = code;
	});
	await program.parseAsync();
	// Idle connections of a command that has ended must not delay its end.
	await exitDrained(Number(process.exitCode ?? 0));
}
