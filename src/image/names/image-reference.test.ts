import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '../digest.ts';
import {
	familiarText,
	type ImageReference,
	InvalidImageNameError,
	parseImageReference,
	pullReference,
	referenceText,
	repositoryText,
} from './image-reference.ts';

const DIGEST = digestOf('x');

function normal(text: string): string {
	return referenceText(pullReference(text));
}

function problem(text: string): string {
	try {
		parseImageReference(text);
	} catch (error) {
		assert.ok(error instanceof InvalidImageNameError, String(error));
		assert.equal(error.message, `couldn't parse image name ${JSON.stringify(text)}: ${error.problem}`);
		return error.problem;
	}
	return '';
}

describe('pullReference', () => {
	test('fills in Docker Hub, its library and the tag', () => {
		const cases: Readonly<Record<string, string>> = {
			bash: 'docker.io/library/bash:latest',
			'bash:5': 'docker.io/library/bash:5',
			'acme/app': 'docker.io/acme/app:latest',
			'docker.io/bash': 'docker.io/library/bash:latest',
			'index.docker.io/bash:5': 'docker.io/library/bash:5',
			'a/b/c': 'docker.io/a/b/c:latest',
			'python:3.9-alpine': 'docker.io/library/python:3.9-alpine',
			'localhost/app': 'localhost/app:latest',
			'localhost:5000/app:1': 'localhost:5000/app:1',
			'ghcr.io/acme/app': 'ghcr.io/acme/app:latest',
			'k3d-my-cluster-registry:50664/flaky-app:0.1': 'k3d-my-cluster-registry:50664/flaky-app:0.1',
			'[::1]:5000/app': '[::1]:5000/app:latest',
			'127.0.0.1/app': '127.0.0.1/app:latest',
			'Registry/app': 'Registry/app:latest',
			'my_host.local/app': 'my_host.local/app:latest',
			// A port without a host is a tag.
			'bash:5000': 'docker.io/library/bash:5000',
		};
		for (const [text, expected] of Object.entries(cases)) assert.equal(normal(text), expected, text);
	});

	test('ignores the tag if there is a digest', () => {
		assert.equal(normal(`bash:5@${DIGEST}`), `docker.io/library/bash@${DIGEST}`);
		assert.equal(
			referenceText(parseImageReference(`bash:5@${DIGEST}`)),
			`docker.io/library/bash:5@${DIGEST}`,
		);
		const sha512 = digestOf('x', 'sha512');
		assert.equal(normal(`bash@${sha512}`), `docker.io/library/bash@${sha512}`);
	});
});

describe('parseImageReference', () => {
	test('rejects what upstream rejects, with its words', () => {
		const invalid = 'invalid reference format';
		const cases: Readonly<Record<string, string>> = {
			'UPPER:::bad': `${invalid}: repository name (library/UPPER) must be lowercase`,
			'docker/Docker': `${invalid}: repository name (docker/Docker) must be lowercase`,
			'ghcr.io/Acme/app:1': `${invalid}: repository name (Acme/app) must be lowercase`,
			'': invalid,
			'bash:': invalid,
			'bash:a b': invalid,
			'bash:.5': invalid,
			[`bash:${'a'.repeat(129)}`]: invalid,
			'a//b': invalid,
			'docker/': invalid,
			'-a/b': invalid,
			'a..b/c:d:e': invalid,
			'dock_.er/docker': invalid,
			'http://docker.io/bash': invalid,
			'docker.io/bash@sha256:abc': invalid,
			'[fe80::1%eth0]/app': invalid,
			'bash\n': invalid,
			[`${'a/'.repeat(5000)}a`]: invalid,
			[`bash@sha256:${'a'.repeat(40)}`]: 'invalid checksum digest length',
			[`bash@md5:${'a'.repeat(32)}`]: 'unsupported digest algorithm',
			[`bash:5@SHA256:${'a'.repeat(64)}`]: 'invalid checksum digest format',
			[`bash@SHA256:${'a'.repeat(64)}`]: `${invalid}: repository name (library/bash@SHA256) must be lowercase`,
			[`a/${'b'.repeat(255)}`]: 'repository name must not be more than 255 characters',
			['a'.repeat(64)]:
				`invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`,
		};
		for (const [text, expected] of Object.entries(cases)) assert.equal(problem(text), expected, text);
	});

	test('rejects a malformed name of thousands of characters within a second', () => {
		for (const text of [
			`busybox@${'A'.repeat(5000)}`,
			`a:${'b'.repeat(5000)}`,
			`b/${'a-'.repeat(1000)}`,
			`${'a'.repeat(2040)}!`,
			'/'.repeat(5000),
		]) {
			const started = performance.now();
			assert.notEqual(problem(text), '', text);
			assert.ok(performance.now() - started < 1000, text.slice(0, 20));
		}
	});

	test('reads each valid reference back from its text and from its familiar form', () => {
		fc.assert(
			fc.property(references(), (reference) => {
				assert.deepEqual(parseImageReference(referenceText(reference)), reference);
				assert.deepEqual(parseImageReference(familiarText(reference)), reference);
			}),
		);
	});

	test('normalising twice changes nothing, and only InvalidImageNameError is thrown, whatever the text', () => {
		const text = fc.oneof(
			fc.string(),
			fc.string({ unit: fc.constantFrom('a', 'B', '0', '.', '_', '-', ':', '/', '@', '[', ']') }),
		);
		fc.assert(
			fc.property(text, (name) => {
				if (isInvalid(name)) return;
				const once = normal(name);
				assert.equal(normal(once), once);
			}),
		);
	});
});

describe('familiarText', () => {
	test('leaves out the defaults of Docker Hub', () => {
		assert.equal(familiarText(pullReference('docker.io/library/bash:5')), 'bash:5');
		assert.equal(familiarText(pullReference('docker.io/acme/app')), 'acme/app:latest');
		assert.equal(familiarText(pullReference('docker.io/library/a/b')), 'library/a/b:latest');
		assert.equal(familiarText(pullReference('docker.io/a.b/c')), 'docker.io/a.b/c:latest');
		assert.equal(familiarText(pullReference('ghcr.io/library/bash:5')), 'ghcr.io/library/bash:5');
		assert.equal(repositoryText(pullReference('bash')), 'docker.io/library/bash');
	});
});

/** Whether the text is no name, however its quotes are escaped in the message. */
function isInvalid(text: string): boolean {
	try {
		parseImageReference(text);
		return false;
	} catch (error) {
		assert.ok(error instanceof InvalidImageNameError, String(error));
		return true;
	}
}

function references(): fc.Arbitrary<ImageReference> {
	const part = fc.stringMatching(/^[a-z0-9]{1,4}(?:(?:[._]|__|-{1,3})[a-z0-9]{1,3}){0,2}$/);
	const domain = fc.oneof(
		fc.constantFrom('docker.io', 'localhost', 'localhost:5000', '[::1]:5000', '10.0.0.1:80'),
		fc.stringMatching(/^[a-zA-Z0-9]{1,5}\.[a-z]{2,3}(?::[0-9]{2,5})?$/),
	);
	return fc
		.record({
			domain,
			path: fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
			tag: fc.option(fc.stringMatching(/^\w[\w.-]{0,10}$/), { nil: undefined }),
			digest: fc.option(fc.constant(DIGEST), { nil: undefined }),
		})
		.map(({ domain, path, tag, digest }) => ({
			domain,
			path: domain === 'docker.io' && !path.includes('/') ? `library/${path}` : path,
			...(tag && { tag }),
			...(digest && { digest }),
		}));
}
