/* 插播页：收整份态势，只认不旧于手中的；断线不下屏，到期自己下屏，撤下只凭服务端的新版。 */
(function () {
  "use strict";
  var PASSES = 2, SPEED = 0.105, SILENT = 15000, AGAIN = 700;
  var drill = /[?&]drill=1(&|$)/.test(location.search);
  var badges = document.getElementById("badges"), mark = document.getElementById("mark"), bar = document.getElementById("bar");
  var label = document.getElementById("label"), lane = document.getElementById("lane"), crawl = document.getElementById("crawl");
  var epoch = -1, rev = -1, shown = {}, order = [], running = null, source = null, heard = 0, states = 0;

  function picture(text) {
    var box = document.createElement("div"), parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    box.className = "badge";
    if (parsed.nodeName === "svg") { box.appendChild(document.importNode(parsed, true)); }
    return box;
  }

  /* One element per warning; a new version of it replaces the old one in a single step, so no frame lacks a badge. */
  function apply(state) {
    var now = performance.now(), next = {}, keep = [];
    if (state.epoch < epoch || (state.epoch === epoch && state.rev < rev)) { return; }
    epoch = state.epoch; rev = state.rev;
    state.items.forEach(function (item) {
      var old = shown[item.key];
      var one = old || { key: item.key, box: item.badge ? picture(item.badge) : null, at: now };
      one.text = item.crawl; one.title = item.title; one.level = item.level; one.every = item.every; one.mark = item.mark;
      one.until = now + item.left;
      next[item.key] = one; keep.push(one);
    });
    shown = next; order = keep;
    place();
  }

  function place() {
    var now = performance.now(), boxes = [], marks = "", i;
    order = order.filter(function (one) { return one.until > now; });
    for (i = 0; i < order.length; i += 1) {
      if (order[i].box) { boxes.push(order[i].box); }
      marks = marks || order[i].mark;
    }
    for (i = 0; i < boxes.length; i += 1) { if (badges.children[i] !== boxes[i]) { badges.insertBefore(boxes[i], badges.children[i] || null); } }
    while (badges.children.length > boxes.length) { badges.removeChild(badges.lastChild); }
    if (drill) { marks = "演练"; }
    mark.textContent = marks; mark.hidden = !marks;
    if (running && order.indexOf(running.one) < 0) { stop(); }
    if (running && running.one.text !== running.text) { stop(); }
    if (!running) { run(); }
  }

  function stop() {
    if (running) { running.move.cancel(); running = null; }
    bar.hidden = true;
  }

  /* The strongest warning whose turn it is crawls, twice; then it waits for its interval (0: goes on at once). */
  function run() {
    var now = performance.now(), one = null, i, from, to, move;
    for (i = 0; i < order.length && !one; i += 1) { if (order[i].text && order[i].at <= now) { one = order[i]; } }
    if (!one) { return; }
    label.textContent = one.title; crawl.textContent = one.text; bar.className = one.level; bar.hidden = false;
    from = lane.clientWidth; to = -crawl.scrollWidth;
    move = crawl.animate([{ transform: "translateX(" + from + "px)" }, { transform: "translateX(" + to + "px)" }],
      { duration: (from - to) / (SPEED * window.innerWidth) * 1000, iterations: PASSES, easing: "linear" });
    running = { one: one, text: one.text, move: move };
    one.began = now;
    move.onfinish = function () {
      one.at = Math.max(performance.now(), one.began + one.every);
      running = null; bar.hidden = true;
      run();
    };
  }

  function connect() {
    if (source) { source.close(); }
    heard = performance.now();
    source = new EventSource("/tv/state" + (drill ? "?drill=1" : ""));
    source.addEventListener("state", function (event) { heard = performance.now(); states += 1; apply(JSON.parse(event.data)); });
  }

  connect();
  setInterval(function () {
    if (source.readyState === 2 || performance.now() - heard > SILENT) { connect(); }
    place();
  }, AGAIN);
  window.fengsuiOverlay = function () { return { epoch: epoch, rev: rev, items: order.length, states: states }; };
}());
