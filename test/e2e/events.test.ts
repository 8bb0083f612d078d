import assert from 'node:assert/strict';
import test from 'node:test';
import { type Finished, Running } from '../support/processes.ts';
import { startStint } from '../support/stint-server.ts';

/** Both Event APIs, by real kubectl. */

function ok({ code, stdout, stderr }: Finished): string {
	assert.equal(code, 0, stderr);
	return stdout;
}

const REPORT = `
apiVersion: events.k8s.io/v1
kind: Event
metadata: {name: seen, namespace: quiet}
eventTime: 2026-01-01T00:00:00.000000Z
reportingController: acme.io/x
reportingInstance: x-1
action: Look
reason: Seen
regarding: {apiVersion: v1, kind: Pod, namespace: quiet, name: p}
note: saw it
type: Normal
`;

test('kubectl creates, shows and deletes Events of events.k8s.io', async (t) => {
	const server = await startStint(t);
	// A namespace in which no component reports Events.
	ok(await server.kubectl('create', 'namespace', 'quiet'));
	ok(await server.kubectl('config', 'set-context', '--current', '--namespace=quiet'));
	const kubectl = async (...args: readonly string[]): Promise<string> => ok(await server.kubectl(...args));
	const form = "jsonpath={.type} {.object.apiVersion} {.object.note}{'\\n'}";
	const args = ['get', 'events.events.k8s.io', '-w', '--output-watch-events', '-o', form];
	const watch = new Running('kubectl', args, server.env);
	t.after(() => watch.child.kill());
	const created = ok(await server.kubectlWith(REPORT, 'create', '-f', '-'));
	assert.equal(created, 'event.events.k8s.io/seen created\n');
	const columns = /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+ +Normal +Seen +pod\/p +saw it\n$/;
	assert.match(await kubectl('get', 'events.events.k8s.io'), columns);
	assert.match(await kubectl('get', 'events'), columns);
	const mine = ['--field-selector', 'regarding.name=p,reportingController=acme.io/x', '-o', 'name'];
	assert.equal(await kubectl('get', 'events.events.k8s.io', ...mine), 'event.events.k8s.io/seen\n');
	assert.match(await kubectl('events', '--for', 'pod/p'), /Normal +Seen +Pod\/p +saw it/);
	assert.match(await kubectl('events', '--types', 'Normal'), /saw it/);
	const paths = '{.apiVersion} {.note} {.regarding.name}';
	assert.equal(
		await kubectl('get', 'events.v1.events.k8s.io', 'seen', '-o', `jsonpath=${paths}`),
		'events.k8s.io/v1 saw it p',
	);
	assert.match(
		await kubectl('explain', 'events.regarding', '--api-version=events.k8s.io/v1'),
		/GROUP: +events.k8s.io\nKIND: +Event\nVERSION: +v1/,
	);
	assert.match(
		await kubectl('api-resources', '--api-group', 'events.k8s.io'),
		/^events +ev +events.k8s.io\/v1 +true +Event$/m,
	);
	const short = REPORT.replace('reason: Seen', '').replace('name: seen', 'name: bad');
	const refused = await server.kubectlWith(short, 'create', '-f', '-');
	assert.equal(refused.code, 1);
	assert.match(refused.stderr, /The Event "bad" is invalid: reason: Required value/);
	await watch.printed(/^ADDED events.k8s.io\/v1 saw it$/m);
	await kubectl('label', 'events.events.k8s.io', 'seen', 'a=b');
	assert.equal(await kubectl('get', 'events', '-l', 'a=b', '-o', 'name'), 'event/seen\n');
	assert.equal(
		await kubectl('delete', 'events.events.k8s.io', 'seen', '-o', 'name'),
		'event.events.k8s.io/seen\n',
	);
	assert.equal(await kubectl('get', 'events', '-o', 'name'), '');
	for (const type of ['MODIFIED', 'DELETED']) {
		await watch.printed(new RegExp(`^${type} events.k8s.io/v1 saw it$`, 'm'));
	}
	ok(await server.kubectlWith(REPORT, 'create', '-f', '-'));
	assert.match(ok(await server.stint('get', 'events.events.k8s.io')), /Seen +pod\/p +saw it/);
	assert.match(await kubectl('delete', 'namespace', 'quiet', '--timeout=60s'), /deleted/);
	assert.equal(
		await kubectl('get', 'events.events.k8s.io', '-A', '-o', 'name', '--field-selector', 'reason=Seen'),
		'',
	);
});
