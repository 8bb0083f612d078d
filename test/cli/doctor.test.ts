import assert from 'node:assert/strict';
import test from 'node:test';
import { type DoctorFlags, doctor } from '../../src/cli/commands/doctor.ts';
import { machineWith, refused, userMachine } from '../../src/plan/doctor/testing/machines.ts';
import { CliWorld, type Ended } from './cli-world.ts';

/** The output of `stint doctor`. plan/doctor has the tests of its rules. */

function run(world: CliWorld, flags: DoctorFlags = {}): Promise<Ended> {
	return world.run((context) => doctor(context, flags));
}

test('doctor prints what is refused, by what, and the command that changes that', async (t) => {
	const world = await CliWorld.open(t);
	const sysctls = { 'kernel.apparmor_restrict_unprivileged_userns': '1' };
	world.machine = userMachine({ sysctls }, refused('EACCES', 'mount'));
	const { code, stdout, stderr } = await run(world);
	assert.deepEqual([code, stderr], [0, '']);
	assert.ok(
		stdout.includes(`! containers          plain processes of this machine, without volumes, tokens and security contexts (level none)
                      because /proc/sys/kernel/apparmor_restrict_unprivileged_userns is 1: AppArmor lets only programs with a profile use user namespaces (EACCES at mount)
                      to change it: echo kernel.apparmor_restrict_unprivileged_userns=0 | sudo tee /etc/sysctl.d/60-stint.conf && sudo sysctl --system
! user namespaces     refused
                      because of the same cause as for containers
`),
		stdout,
	);
	assert.match(stdout, /\n {2}the container does not start: .*runAsUser \(other than stint's\)/);
	assert.match(stdout, /\n✓ Jobs can run on this machine \(linux, x64\) as you\.\n$/);
});

test('doctor fails if no Job can run', async (t) => {
	const world = await CliWorld.open(t);
	world.machine = machineWith({ dataFolder: { trial: refused('EROFS', 'mkdir', 'read-only file system') } });
	const { code, stdout } = await run(world);
	assert.equal(code, 1);
	assert.match(stdout, /✗ data folder +\S+ cannot be used: read-only file system\n/);
	assert.match(stdout, /✗ Jobs cannot run on this machine/);
	assert.equal((await run(world, { output: 'json' })).code, 1);
});

test('doctor -o json and yaml have the same findings', async (t) => {
	const world = await CliWorld.open(t);
	const found = JSON.parse((await run(world, { output: 'json' })).stdout);
	assert.deepEqual([found.canRunJobs, found.level], [true, 'root']);
	assert.deepEqual(found.findings[0], { name: 'node', title: 'Node.js', status: 'ok', found: '26.10.0' });
	assert.equal(found.fields[0].effect, 'rejected');
	assert.match((await run(world, { output: 'yaml' })).stdout, /^canRunJobs: true\nfields:\n/);
});

test('doctor checks its flags', async (t) => {
	const world = await CliWorld.open(t);
	assert.match((await run(world, { output: 'wide' })).stderr, /allowed formats are: json,yaml\n$/);
	assert.match((await run(world, { port: '70000' })).stderr, /--port: must be a whole number/);
	assert.match((await run(world, { dataDir: '' })).stderr, /--data-dir: must not be empty/);
});
