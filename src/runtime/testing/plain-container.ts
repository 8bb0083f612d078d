/**
 * The rights of root in a container that an engine made without options: its default capabilities, and a system call filter
 * that refuses namespaces and mounts. Tests run programs with them, as in a CI job or an unprivileged Pod.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { capabilityMask } from '../process/shim/capabilities.ts';

/** The numbers of system calls that differ between the platforms (asm/unistd_64.h, asm-generic/unistd.h). */
const PLATFORM_CALLS: Readonly<
	Record<string, { readonly prctl: number; readonly pivotRoot: number; readonly refused: readonly number[] }>
> = {
	// mount, umount2, sethostname, unshare, setns
	x64: { prctl: 157, pivotRoot: 155, refused: [165, 166, 170, 272, 308] },
	arm64: { prctl: 167, pivotRoot: 41, refused: [40, 39, 161, 97, 268] },
};
/** open_tree, move_mount, fsopen, fsmount and mount_setattr, on every platform. */
const MOUNT_CALLS = [428, 429, 430, 432, 442];
const CLONE3 = 435;
/** What a filter returns: ENOSYS as Docker for clone3, EPERM, or the call is allowed. */
const ENOSYS = 0x0005_0026;
const EPERM = 0x0005_0001;
const ALLOW = 0x7fff_0000;

/** Loads a filter of which the instructions are the arguments before `--`, then executes the rest. */
const LOAD_FILTER = `
	my ($prctl, @code) = splice(@ARGV, 0, shift);
	my $filter = pack('(SCCL)*', @code);
	my $program = pack('Sx6P', @code / 4, $filter);
	syscall($prctl, 22, 2, $program) == 0 or die "seccomp: $!";
	exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!";
`;

/** Set in the environment of tests that {@link testInPlainContainer} runs. */
const MARK = 'STINT_TEST_IN_PLAIN_CONTAINER';

/** Whether {@link testInPlainContainer} runs this process. */
export const IS_IN_PLAIN_CONTAINER = process.env[MARK] === 'yes';

interface RefusedCall {
	readonly number: number;
	/** What the filter returns. */
	readonly answer: number;
}

/** The command that runs the command behind it with these rights. */
export function plainContainerCommand(): readonly string[] {
	const { pivotRoot, refused } = platformCalls();
	const filter = filterCommand([
		{ number: CLONE3, answer: ENOSYS },
		...[pivotRoot, ...refused, ...MOUNT_CALLS].map((number) => ({ number, answer: EPERM })),
	]);
	return [...filter, 'setpriv', `--bounding-set=-all,${capabilityNames()}`, '--inh-caps=-all'];
}

/** The command that runs the command behind it as Docker does with the capability SYS_ADMIN: only pivot_root is refused. */
export function withoutPivotCommand(): readonly string[] {
	return filterCommand([{ number: platformCalls().pivotRoot, answer: EPERM }]);
}

function platformCalls(): (typeof PLATFORM_CALLS)[string] {
	return PLATFORM_CALLS[process.arch] ?? { prctl: 0, pivotRoot: 0, refused: [] };
}

function filterCommand(calls: readonly RefusedCall[]): readonly string[] {
	const words = [platformCalls().prctl, ...filterCode(calls)].map(String);
	return ['perl', '-e', LOAD_FILTER, String(words.length), ...words];
}

/** Why programs cannot be run so on this machine; undefined if they can. */
export function missingForPlainContainer(): string | undefined {
	if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'that needs Linux, as root';
	const [command = '', ...args] = plainContainerCommand();
	const { status, stderr } = spawnSync(command, [...args, 'true'], { encoding: 'utf8' });
	return status === 0 ? undefined : `the rights of this machine cannot be reduced: ${stderr}`;
}

/** Runs the tests of a file whose names match, with these rights. Rejects with their output if one fails, or if none has run. */
export async function testInPlainContainer(file: string, names: RegExp): Promise<void> {
	const [command = '', ...args] = plainContainerCommand();
	const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--test', '--test-reporter=spec'];
	// Set by the runner of this process: the other one would write its results in the format between runners.
	const { NODE_TEST_CONTEXT: _, ...env } = process.env;
	const child = spawn(command, [...args, ...node, `--test-name-pattern=${names.source}`, file], {
		env: { ...env, [MARK]: 'yes' },
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	let output = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		output += text;
	});
	const [code] = await once(child, 'close');
	assert.equal(code, 0, output);
	assert.match(output, /^ℹ pass [1-9]/m, output);
}

/** The filter as the fields of its instructions: code, jumps and value. See linux/filter.h. */
function filterCode(answers: readonly RefusedCall[]): readonly number[] {
	const load = [0x20, 0, 0, 0];
	// Without a match, the answer behind the comparison is skipped.
	const rows = answers.flatMap(({ number, answer }) => [0x15, 0, 1, number, 0x06, 0, 0, answer]);
	return [...load, ...rows, 0x06, 0, 0, ALLOW];
}

/** The default capabilities, by the numbers that setpriv takes. */
function capabilityNames(): string {
	const mask = BigInt(`0x${capabilityMask({ add: [], drop: [] })}`);
	return Array.from({ length: 64 }, (_, bit) => bit)
		.filter((bit) => (mask >> BigInt(bit)) & 1n)
		.map((bit) => `+cap_${bit}`)
		.join(',');
}
