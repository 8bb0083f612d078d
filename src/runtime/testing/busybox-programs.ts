/** The programs of the contract's tests in an image of busybox. */
import type { RuntimeHarness } from './contract-machine.ts';

// A size that came before the trap is printed too.
const PRINT_SIZES =
	'trap "stty size" WINCH; s=$(stty size 2>/dev/null); case $s in [1-9]*) echo "$s";; esac; while :; do sleep 0.05; done';
const FOR_EVER = 'trap "exit 143" TERM; sleep 1000000 & wait';

function sh(text: string): readonly string[] {
	return ['sh', '-c', text];
}

/** The programs and commands of a harness; the first process of a container ignores signals that it does not handle. */
export const BUSYBOX_PROGRAMS: Pick<RuntimeHarness, 'programs' | 'commands' | 'attachable'> = {
	programs: {
		succeeds: ['true'],
		failsWith3: sh('exit 3'),
		runsForEver: sh(FOR_EVER),
		endsAtTerm: sh('trap "exit 143" TERM; echo ready; sleep 1000000 & wait'),
		ignoresTerm: sh('trap "" TERM; echo ready; while :; do sleep 1000; done'),
		talks: sh('echo out; echo err >&2'),
		writesLongLine: sh("head -c 65536 /dev/zero | tr '\\0' x"),
		leavesChild: sh('while :; do echo child; done & echo main'),
		isMissing: ['no-such-program-anywhere'],
		writesMessage: sh('printf why > /dev/termination-log'),
	},
	commands: {
		echoesInput: ['cat'],
		exitsWith3: sh('exit 3'),
		talks: sh('echo out; echo err >&2'),
		runsForEver: ['sleep', '1000000'],
		printsSizes: sh(PRINT_SIZES),
	},
	attachable: {
		echoesInput: ['cat'],
		printsSizes: sh(PRINT_SIZES),
		runsUntilStopped: sh(FOR_EVER),
	},
};
