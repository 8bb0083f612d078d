import { setProgramName } from '../cli/called-as.ts';
import { withFlagsBehind, withHelpFlag, withPlainFlags } from './arguments.ts';
import { cliContext } from './cli-context.ts';
import { makeProgram } from './program.ts';
import { programName } from './program-name.ts';
import { exitDrained, watchStandardStreams } from './standard-streams.ts';

/** Node's exit code for a top-level await that never settles. */
const EXIT_UNSETTLED = 13;

// The bundle is a CommonJS script and cannot use top-level await, for which Node would detect that it never
// settles. This handler detects the same for the promise of `main`.
process.once('exit', (code) => {
	if (code !== 0 || process.exitCode !== undefined) return;
	process.exitCode = EXIT_UNSETTLED;
	process.stderr.write('error: the process ended before its work was done; this is a bug in stint\n');
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
	const finish = (code: number): void => {
		process.exitCode = code;
	};
	const args = withFlagsBehind(process.argv.slice(2));
	const program = makeProgram(cliContext(), finish, args[0]);
	await program.parseAsync(withPlainFlags(program, withHelpFlag(program, args)), { from: 'user' });
	// Without an explicit exit, idle keep-alive connections would delay the end of the process.
	await exitDrained(Number(process.exitCode ?? 0));
}
