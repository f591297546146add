// Goal: servers that are not ours, Node's and nginx, receive over kept-alive connections, and their
// answers are judged as documented. Method: the real programs on loopback.
'use strict';

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Gateway, until, within } = require('./support/gateway.js');
const { Receiver, close, listen } = require('./support/receiver.js');
const { messageEvent, organization } = require('./support/samples.js');

let gateway;

before(async () => { gateway = await Gateway.start(); });
after(() => gateway.stop());

/** A port that was free a moment ago: nginx cannot be asked which one it was given. */
async function freePort() {
    const server = net.createServer();
    const url = await listen(server);
    await new Promise((resolve) => { server.close(resolve); });
    return new URL(url).port;
}

function nginxConfiguration(folder, port) {
    return `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1;
        events {}
        http {
            log_format posts '$status $request_method $uri $http_webhook_id $content_length $connection';
            access_log ${folder}/access.log posts;
            client_body_temp_path ${folder}/body;
            server {
                listen 127.0.0.1:${port};
                location = /hook { return 204; }
                location = /moved { return 301 http://127.0.0.1:${port}/hook; }
            }
        }`;
}

async function accepts(port) {
    return new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.once('connect', () => { socket.destroy(); resolve(true); });
        socket.once('error', () => resolve(false));
    });
}

/** Starts nginx; another port if somebody was quicker to take the first. */
async function startNginx() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'postrider-nginx-'));
    for (let trial = 0; ; trial += 1) {
        const port = await freePort();
        fs.writeFileSync(`${folder}/nginx.conf`, nginxConfiguration(folder, port));
        const flags = ['-p', folder, '-e', `${folder}/error.log`, '-c', `${folder}/nginx.conf`];
        const nginx = spawn('/usr/sbin/nginx', flags, { stdio: 'ignore' });
        let ended = false;
        const exited = new Promise((resolve) => { nginx.once('exit', () => { ended = true; resolve(); }); });
        await until(async () => ended || accepts(port), (done) => done, 'nginx');
        if (!ended) {
            const log = () => fs.readFileSync(`${folder}/access.log`, 'utf8').split('\n').filter(Boolean);
            const stop = async () => {
                nginx.kill('SIGTERM');
                await within(exited, 'nginx to end');
                fs.rmSync(folder, { recursive: true, force: true });
            };
            return { url: `http://127.0.0.1:${port}`, log, stop };
        }
        if (trial === 5) throw new Error(fs.readFileSync(`${folder}/error.log`, 'utf8'));
    }
}

async function attemptsOf(subscription, count) {
    return until(
        () => gateway.attempts(subscription.id),
        (attempts) => attempts.length >= count,
        `${count} attempts`,
    );
}

test('Node receives every event once, byte for byte, over few connections', async () => {
    const receiver = await Receiver.start();
    const subscription = await gateway.subscribe({ organization, url: `${receiver.url}/hook?a=1` });
    const ids = [];
    for (let i = 0; i < 100; i += 1) ids.push((await gateway.publish(messageEvent(`message ${i}`))).id);
    const posts = await receiver.wait(100);

    assert.deepStrictEqual(posts.map((post) => post.headers['webhook-id']).sort(), ids.sort());
    for (const post of posts) {
        assert.strictEqual(post.path, '/hook?a=1');
        assert.strictEqual(post.headers['content-type'], 'application/json');
        assert.strictEqual(Number(post.headers['content-length']), post.body.length);
        const text = post.body.toString('utf8');
        assert.strictEqual(text, JSON.stringify(JSON.parse(text)));
    }
    assert.ok(receiver.connections <= 10, `${receiver.connections} connections`);
    await attemptsOf(subscription, 50);
    await receiver.stop();
});

test('nginx receives, and is not followed where it redirects', async () => {
    const nginx = await startNginx();
    const hook = await gateway.subscribe({ organization, url: `${nginx.url}/hook` });
    const moved = await gateway.subscribe({ organization, url: `${nginx.url}/moved` });
    const { id } = await gateway.publish(messageEvent());
    const [delivered] = await attemptsOf(hook, 1);
    const [refused] = await attemptsOf(moved, 1);

    assert.strictEqual(delivered.httpStatus, 204);
    assert.strictEqual(refused.httpStatus, 301);
    const lines = await until(async () => nginx.log(), (found) => found.length >= 2, 'two lines of log');
    assert.strictEqual(lines.filter((line) => line.startsWith(`204 POST /hook ${id} `)).length, 1);
    assert.strictEqual(lines.filter((line) => line.startsWith(`301 POST /moved ${id} `)).length, 1);
    await nginx.stop();
});

test('a receiver that fails first and then takes it gets the same bytes again', async () => {
    const receiver = await Receiver.start((request, response, number) => {
        response.writeHead(number === 1 ? 500 : 200).end('not today');
    });
    const policy = { schedule: [{ seconds: '0' }, { seconds: '1' }] };
    const subscription = await gateway.subscribe({ organization, url: receiver.url, policy });
    await gateway.publish(messageEvent());
    const [first, second] = await receiver.wait(2);

    assert.ok(first.body.equals(second.body));
    assert.strictEqual(first.headers['webhook-id'], second.headers['webhook-id']);
    const attempts = await attemptsOf(subscription, 2);
    const failed = attempts.find((attempt) => attempt.httpStatus === 500);
    assert.strictEqual(failed.response, 'not today');
    await receiver.stop();
});

test('a server that accepts and closes at once is an attempt that failed', async () => {
    const server = net.createServer((socket) => socket.destroy());
    const url = await listen(server);
    const subscription = await gateway.subscribe({ organization, url });
    await gateway.publish(messageEvent());
    const [attempt] = await attemptsOf(subscription, 1);
    assert.ok(!attempt.httpStatus);
    assert.notStrictEqual(attempt.error, '');
    server.closeAllConnections = () => {};
    await close(server);
});
