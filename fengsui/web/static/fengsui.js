/* 烽燧：时钟、断线提示、数字键。没有它，页面照样能用。 */
(function () {
  "use strict";
  var clock = document.getElementById("clock"), stale = document.getElementById("stale"), drift = document.getElementById("drift");
  var heard = Date.now(), ended = false;
  function two(n) { return (n < 10 ? "0" : "") + n; }
  if (clock) {
    var base = Number(clock.dataset.now) / 1000, from = performance.now();
    var zone = clock.textContent.trim().split(":"), shown = Number(zone[0]) * 3600 + Number(zone[1]) * 60 + Number(zone[2]);
    if (document.documentElement.className === "actual" && Math.abs(Date.now() - base) > 60000 && drift) { drift.hidden = false; }
    setInterval(function () {
      var s = (shown + Math.floor((performance.now() - from) / 1000)) % 86400;
      clock.textContent = two(Math.floor(s / 3600)) + ":" + two(Math.floor(s / 60) % 60) + ":" + two(s % 60);
      if (stale && document.body.getAttribute("sse-connect")) {
        var silent = Date.now() - heard > 30000;
        if (silent && stale.hidden && !ended) { stale.querySelector("b").textContent = clock.textContent; }
        stale.hidden = !silent && !ended;
      }
    }, 1000);
  }
  document.addEventListener("htmx:sseBeforeMessage", function () { heard = Date.now(); });
  document.addEventListener("htmx:sseMessage", function () { heard = Date.now(); });
  document.addEventListener("htmx:sseOpen", function () { heard = Date.now(); });
  document.addEventListener("htmx:responseError", function (event) {
    if (event.detail.xhr.status !== 401 || !stale) { return; }
    ended = true; stale.hidden = false;
    stale.textContent = "登录已过期：写好后照常提交，重新登录后内容还在";
  });
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey || /INPUT|TEXTAREA|SELECT/.test(event.target.tagName)) { return; }
    if (event.key === "/") { var box = document.querySelector("input[type=search]"); if (box) { event.preventDefault(); box.focus(); } return; }
    var target = document.querySelector('[data-key="' + event.key.toLowerCase() + '"]');
    if (target) { event.preventDefault(); target.click(); }
  });
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(function () { delete form.dataset.sent; }, 5000);
  });
}());
