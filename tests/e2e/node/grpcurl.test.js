// Goal: the calls of the README work as they are printed there, with nothing but grpcurl, and the POST
// that arrives is the platform's webhook, field for field and in its order.
// Method: the calls are taken from the README itself; only the two addresses are replaced.
'use strict';

const assert = require('node:assert');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Gateway, root } = require('./support/gateway.js');
const { Receiver } = require('./support/receiver.js');

const grpcurl = process.env.GRPCURL || path.join(root, 'build/tools/grpcurl');
const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
let gateway;
let receiver;

before(async () => {
    gateway = await Gateway.start();
    receiver = await Receiver.start();
});
after(async () => {
    await receiver.stop();
    await gateway.stop();
});

/** The calls of the README, in its order: indented lines that begin with grpcurl. */
function callsOfReadme() {
    return readme.split('\n\n').map((block) => block.replace(/^ {4}/gm, ''))
        .flatMap((block) => block.split(/\n(?=grpcurl )/))
        .filter((block) => block.startsWith('grpcurl '))
        .map((call) => call
            .replace(/^grpcurl/, `'${grpcurl}'`)
            .replaceAll('127.0.0.1:50051', gateway.address)
            .replaceAll('http://127.0.0.1:9000', receiver.url));
}

/** What a command of the shell prints. */
function run(command) {
    return new Promise((resolve, reject) => {
        execFile('/bin/sh', ['-c', command], (error, stdout, stderr) => {
            if (error) reject(new Error(`${command}\n${stderr}`));
            else resolve(stdout);
        });
    });
}

test('list, subscribe, publish: the three calls and the POST', async () => {
    const [list, subscribe, publish] = callsOfReadme();
    const services = (await run(list)).split('\n');
    for (const service of ['PublisherService', 'EventService', 'SubscriptionService', 'DeliveryService']) {
        assert.ok(services.includes(`postrider.v1.${service}`), services.join(' '));
    }
    assert.ok(services.includes('grpc.health.v1.Health'));

    const { subscription } = JSON.parse(await run(subscribe));
    assert.match(subscription.secret, /^whsec_/);
    assert.strictEqual(subscription.state, 'SUBSCRIPTION_STATE_ACTIVE');
    for (const field of ['id', 'create_time', 'etag']) assert.ok(subscription[field], field);

    const receipt = JSON.parse(await run(publish));
    assert.strictEqual(receipt.id, '774ae370-02cc-11e7-ac41-c38ce8763025');
    assert.strictEqual(receipt.duplicate, false);
    assert.match(receipt.accept_time, /^\d{4}-\d\d-\d\dT/);

    const [post] = await receiver.wait(1);
    assert.strictEqual(post.method, 'POST');
    assert.strictEqual(post.path, '/hook');
    assert.strictEqual(post.body.toString('utf8'), JSON.stringify({
        id: '774ae370-02cc-11e7-ac41-c38ce8763025',
        timestamp: '2018-12-19T19:09:01Z',
        event: 'message.create.contact.chat',
        organization: '5c138790ec944f05ff5f6d77',
        activity: {
            '@context': 'https://www.w3.org/ns/activitystreams',
            type: 'Create',
            actor: { id: 'https://api.chatshipper.com/v2/users/5c1a99e410419f5fb88cb5f2', type: 'Person' },
            object: { id: 'https://api.chatshipper.com/v2/messages/5c1a974dabcdb128d0e90e93', type: 'Object' },
            published: '2018-12-19T19:09:01Z',
            summary: 'User Jenny Jones created a chat message',
        },
        data: {
            conversation: { id: '5c1a974dabcdb128d0e90e90' },
            message: { id: '5c1a974dabcdb128d0e90e93', text: 'hello' },
            links: { message: 'https://api.chatshipper.com/v2/messages/5c1a974dabcdb128d0e90e93' },
        },
    }));

    const again = JSON.parse(await run(publish));
    assert.strictEqual(again.duplicate, true);
});

test('the README prints the body that arrives', async () => {
    const [post] = await receiver.wait(1);
    assert.strictEqual(readmeBody(), post.body.toString('utf8'));
});

/** The JSON that the README shows, without the layout it has for people. */
function readmeBody() {
    const block = readme.split('\n\n').find((text) => text.startsWith('    {\n'));
    return block ? JSON.stringify(JSON.parse(block)) : '';
}

test('the health can be asked for by hand', async () => {
    const check = `'${grpcurl}' -plaintext ${gateway.address} grpc.health.v1.Health/Check`;
    assert.deepStrictEqual(JSON.parse(await run(check)), { status: 'SERVING' });
});

test('an error names the field, for people and for programs', async () => {
    const bad = `'${grpcurl}' -plaintext -d '{"event":{"type":"Not a type","organization":"o"}}' `
        + `${gateway.address} postrider.v1.PublisherService/Publish`;
    await assert.rejects(run(bad), /event\.type: .*[\s\S]*BadRequest/);
});
